/* The tour: a modal dialog beside what it speaks of. */
(function () {
    "use strict";

    const GAP_PX = 12;
    let at = 0;

    function steps() {
        return [...document.querySelectorAll(".tour-step")];
    }

    function mark(selector) {
        for (const marked of document.querySelectorAll("[data-toured]")) marked.removeAttribute("data-toured");
        const target = selector && document.querySelector(selector);
        // Not a class: those of the feed's badge come anew with every update.
        if (target) target.setAttribute("data-toured", "");
        return target;
    }

    /* Below the element where there is room, otherwise where CSS puts it: at the bottom. */
    function place(dialog, target) {
        const box = target.getBoundingClientRect();
        const beside = window.innerWidth >= 640;
        dialog.style.left = beside
            ? Math.max(GAP_PX, Math.min(box.left, window.innerWidth - dialog.offsetWidth - GAP_PX)) + "px" : "";
        dialog.style.top = beside ? box.bottom + GAP_PX + "px" : "";
    }

    function show(step) {
        const all = steps();
        at = Math.max(0, Math.min(step, all.length - 1));
        all.forEach((one, n) => { one.hidden = n !== at; });
        document.getElementById("tour-place").textContent = at + 1 + " of " + all.length;
        document.getElementById("tour-back").disabled = at === 0;
        document.getElementById("tour-skip").hidden = at === all.length - 1;
        document.getElementById("tour-next").textContent = at === all.length - 1 ? "Done" : "Next";
        const target = mark(all[at].dataset.beside);
        if (target) {
            target.scrollIntoView({ block: "nearest", inline: "nearest" });
            place(document.getElementById("tour"), target);
        }
    }

    function end() {
        localStorage.setItem("tour", "seen");
        mark(null);
    }

    function open() {
        const dialog = document.getElementById("tour");
        if (dialog.open) return;
        dialog.addEventListener("close", end, { once: true });
        dialog.showModal();
        show(0);
        document.getElementById("tour-next").focus();
    }

    document.addEventListener("click", function (event) {
        const dialog = document.getElementById("tour");
        if (!dialog || !dialog.open) return;
        const pressed = event.target.id;
        if (pressed === "tour-skip") dialog.close();
        else if (pressed === "tour-back") show(at - 1);
        else if (pressed === "tour-next" && at < steps().length - 1) show(at + 1);
        else if (pressed === "tour-next") dialog.close();
        if (pressed === "tour-back" && at === 0) document.getElementById("tour-next").focus();
    });
    window.addEventListener("resize", function () {
        const dialog = document.getElementById("tour");
        if (dialog && dialog.open) show(at);
    });

    window.dash_clientside.tour = {
        begin: function (clicks) {
            const { query, keep } = window.pairstream;
            if (clicks || (query().get("tour") !== "0" && localStorage.getItem("tour") !== "seen")) open();
            return keep();
        },
    };
})();
