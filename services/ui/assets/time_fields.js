/* Fields for a time, YYYY-MM-DD HH:MM: what is no time is said below the field. */
(() => {
    "use strict";

    const { texts, instant, set } = window.pairstream;

    function check(event) {
        const field = event.target;
        if (!field.matches?.("input[data-moment]")) return;
        const isWrong = field.value.trim() !== "" && instant(field.value) === null;
        // While somebody writes nothing is wrong yet, but a mistake may be mended.
        if (event.type === "input" && isWrong) return;
        set(field.id, { error: isWrong ? texts.expectedTime(field.value) : "" });
    }

    document.addEventListener("input", check);
    document.addEventListener("change", check);
})();
