/* The tour: a modal dialog beside what it speaks of. */
(() => {
    "use strict";

    const GAP_PX = 12;
    const texts = window.pairstream.texts.tour;
    let at = 0;

    /** @returns {HTMLDialogElement} null on a page without the tour */
    function tour() {
        return document.querySelector("dialog#tour");
    }

    /** @param {"back" | "skip" | "next"} name */
    function button(name) {
        return /** @type {HTMLButtonElement} */ (document.getElementById(`tour-${name}`));
    }

    /** @returns {HTMLElement[]} */
    function steps() {
        return [...document.querySelectorAll(".tour-step")].map((one) => /** @type {HTMLElement} */ (one));
    }

    function mark(selector) {
        for (const marked of document.querySelectorAll("[data-toured]"))
            marked.removeAttribute("data-toured");
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
            ? `${Math.max(GAP_PX, Math.min(box.left, window.innerWidth - dialog.offsetWidth - GAP_PX))}px`
            : "";
        dialog.style.top = beside ? `${box.bottom + GAP_PX}px` : "";
    }

    function show(step) {
        const all = steps();
        at = Math.max(0, Math.min(step, all.length - 1));
        all.forEach((one, n) => {
            one.hidden = n !== at;
        });
        document.getElementById("tour-place").textContent = texts.place(at + 1, all.length);
        button("back").disabled = at === 0;
        button("skip").hidden = at === all.length - 1;
        button("next").textContent = at === all.length - 1 ? texts.done : texts.next;
        const target = mark(all[at].dataset.beside);
        if (target) {
            target.scrollIntoView({ block: "nearest", inline: "nearest" });
            place(tour(), target);
        }
    }

    function end() {
        localStorage.setItem("tour", "seen");
        mark(null);
    }

    function open() {
        const dialog = tour();
        if (dialog.open) return;
        dialog.addEventListener("close", end, { once: true });
        dialog.showModal();
        show(0);
        button("next").focus();
    }

    document.addEventListener("click", (event) => {
        const dialog = tour();
        if (!dialog?.open) return;
        const pressed = /** @type {Element} */ (event.target).id;
        if (pressed === "tour-skip") dialog.close();
        else if (pressed === "tour-back") show(at - 1);
        else if (pressed === "tour-next" && at < steps().length - 1) show(at + 1);
        else if (pressed === "tour-next") dialog.close();
        if (pressed === "tour-back" && at === 0) button("next").focus();
    });
    window.addEventListener("resize", () => {
        const dialog = tour();
        if (dialog?.open) show(at);
    });

    window.dash_clientside.tour = {
        begin: (clicks) => {
            const { query, keep } = window.pairstream;
            if (window.location.pathname === "/wall") return keep(); // nobody is there to press Next
            if (clicks || (query().get("tour") !== "0" && localStorage.getItem("tour") !== "seen")) open();
            return keep();
        },
    };
})();
