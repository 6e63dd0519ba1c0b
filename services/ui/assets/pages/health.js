/* What the page of health does by itself. */
(() => {
    "use strict";

    const STATES = ["all", "open", "repaired", "refuted", "unrepaired"];
    const EVERY = "any";
    const { query, remember, oneOf, look, set, keep } = window.pairstream;

    /* What a service lost is seen: its button is drawn anew every second. */
    document.addEventListener("click", ({ target }) => {
        const button = target instanceof Element && target.closest("button[data-acknowledge]");
        if (button)
            set("losses-asked", {
                data: { service: button.getAttribute("data-acknowledge"), at: Date.now() },
            });
    });

    window.dash_clientside.health = {
        /* Read the filters of the gaps from the address. */
        route: () => [oneOf("gaps", STATES, "all"), query().get("gaps-symbol") || EVERY],

        select: (state, symbol) => {
            remember({
                gaps: state === "all" ? null : state,
                "gaps-symbol": symbol === EVERY ? null : symbol,
            });
            look({ state: state, symbol: symbol });
            return "";
        },

        /* The table as it is seen: the API has no table of its own for it. */
        save: (clicks) => {
            if (clicks) {
                window.dash_ag_grid.getApi("tapes-table").exportDataAsCsv({
                    fileName: "tape.csv",
                    processCellCallback: (cell) =>
                        cell.column.getColId() === "last" && cell.value !== null
                            ? new Date(cell.value).toISOString()
                            : cell.value,
                });
            }
            return keep();
        },
    };
})();
