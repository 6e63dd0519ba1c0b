/* What the page of delivery does by itself: filters of the log and the target that is chosen stand in the address. */
(() => {
    "use strict";

    const STATES = ["all", "waiting", "failed", "delivered", "dead", "skipped"];
    const { set, keep, query, remember, oneOf, look, local, instant, address, time, markRow } =
        window.pairstream;
    let isChosen = false; // whether a target was, since the page was opened: until then the address may name one

    window.dash_clientside.delivery = {
        /* The filters of the log, and the target in the form, as the address has them. */
        route: () => {
            isChosen = false;
            return [
                query().get("to_target") || "",
                oneOf("state", STATES, "all"),
                local(time("from")),
                local(time("to")),
                query().get("target") || keep(),
            ];
        },

        /* Note the filters, and write them into the address; an alert is named by the address alone. */
        select: (target, state, from, to) => {
            const alert = query().get("alert") || "";
            const now = {
                target: target || "",
                state: state,
                from: instant(from),
                to: instant(to),
                alert: alert,
            };
            remember({
                to_target: now.target,
                state: state === "all" ? null : state,
                from: address(now.from),
                to: address(now.to),
            });
            look(now);
            return keep();
        },

        /* Write the target that is chosen into the address, and mark it in the table. */
        chosen: (stored) => {
            const id = stored ? stored.id : null;
            isChosen ||= Boolean(id);
            if (isChosen) remember({ target: id });
            if (id) markRow("targets-table", id);
            return keep();
        },
    };

    /* Show what became of an incident at each target. */
    document.addEventListener("click", (event) => {
        const target = /** @type {Element} */ (event.target);
        const button = /** @type {HTMLElement | null} */ (target.closest?.("button[data-deliveries]"));
        if (!button) return;
        set("arrivals-asked", { data: { alert: button.dataset.deliveries, at: Date.now() } });
        set("arrivals-about", { children: button.dataset.subject });
        set("arrivals-told", { children: "" });
        set("arrivals", { opened: true });
    });
})();
