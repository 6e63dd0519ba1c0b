/* What the page for programs does by itself. */
(function () {
    "use strict";

    const SAID_MS = 1500;
    const { query, remember, look, keep } = window.pairstream;

    /* Where there is no clipboard (a page that is not served securely), a text area and the old command. */
    async function write(text) {
        if (navigator.clipboard && window.isSecureContext) {
            await navigator.clipboard.writeText(text);
            return;
        }
        const area = document.createElement("textarea");
        area.value = text;
        area.className = "unseen";
        document.body.append(area);
        area.select();
        const done = document.execCommand("copy");
        area.remove();
        if (!done) throw new Error("the browser refuses");
    }

    function say(button, text) {
        button.textContent = text;
        document.getElementById("copied").textContent = text + ": " + button.getAttribute("aria-label").slice(6);
        window.setTimeout(function () { button.textContent = "Copy"; }, SAID_MS);
    }

    document.addEventListener("click", function (event) {
        if (!event.target.matches || !event.target.matches("button.copy")) return;
        const button = event.target;
        write(button.parentElement.querySelector("code").textContent).then(
            () => { say(button, "Copied"); button.focus(); }, () => say(button, "Not copied"));
    });

    window.dash_clientside.programs = {
        /* Read the addresses from the page's own. */
        route: function () {
            return [query().get("api") || "", query().get("brokers") || ""];
        },

        select: function (api, brokers) {
            remember({ api: api, brokers: brokers });
            look({ api: api || "", brokers: brokers || "" });
            return keep();
        },
    };
})();
