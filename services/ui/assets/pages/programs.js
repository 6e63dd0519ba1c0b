/* What the page for programs does by itself. */
(() => {
    "use strict";

    const SAID_MS = 1500;
    const { texts, query, remember, look, keep } = window.pairstream;

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
        document.getElementById("copied").textContent =
            `${text}: ${button.getAttribute("aria-label").slice(6)}`;
        window.setTimeout(() => {
            button.textContent = texts.programs.copy;
        }, SAID_MS);
    }

    document.addEventListener("click", ({ target: button }) => {
        if (!(button instanceof HTMLElement && button.matches("button.copy"))) return;
        write(button.parentElement.querySelector("code").textContent).then(
            () => {
                say(button, texts.programs.copied);
                button.focus();
            },
            () => say(button, texts.programs.notCopied),
        );
    });

    window.dash_clientside.programs = {
        /* Read the addresses from the page's own. */
        route: () => [query().get("api") || "", query().get("brokers") || ""],

        select: (api, brokers) => {
            remember({ api: api, brokers: brokers });
            look({ api: api || "", brokers: brokers || "" });
            return keep();
        },
    };
})();
