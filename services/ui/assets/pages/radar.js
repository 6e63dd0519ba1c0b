/* What is chosen on the page of the radar: filters, a matrix, a pair. */
(() => {
    "use strict";

    const STAGES = ["tried", "significant", "corrected", "confirmed"];
    const MATRICES = ["evidence", "returns", "levels"];
    const MARK_EVERY_MS = 400;
    const { texts, query, remember, complain, oneOf, look, set, keep, markRow } = window.pairstream;

    let pair = null;

    function pick(event) {
        const row = event.target.closest?.("#radar-table .ag-row");
        if (row && (event.type === "click" || event.key === "Enter")) choose(row.getAttribute("row-id"));
    }

    function choose(name) {
        set("radar-pair", { data: name });
        document.getElementById("radar-shown")?.scrollIntoView({ block: "nearest", behavior: "smooth" });
    }

    /* Rows come late and go: see to it now and then that the chosen one is marked. */
    function mark() {
        if (document.getElementById("page-radar") && window.dash_component_api) markRow("radar-table", pair);
    }

    window.dashAgGridComponentFunctions ??= {};
    /* The spread over all bars, without axes. */
    window.dashAgGridComponentFunctions.RadarSpread = (cell) => {
        const heights = cell.value || [];
        if (!heights.length) return "";
        const points = heights.map((height, at) => `${at},${100 - height}`).join(" ");
        return React.createElement(
            "svg",
            {
                className: "hour",
                role: "img",
                viewBox: `0 -6 ${heights.length - 1} 112`,
                preserveAspectRatio: "none",
                "aria-label": texts.radar.spreadOf(cell.data.id),
            },
            React.createElement("polyline", { points: points, vectorEffect: "non-scaling-stroke" }),
        );
    };

    window.dash_clientside.radar = {
        /* Read everything from the address. */
        route: () => {
            const asked = query();
            pair = asked.get("pair");
            const bp = Number(asked.get("bp") || 0) || "";
            if (asked.get("bp") && !(Number(bp) > 0)) complain("bp", asked.get("bp"), texts.address.number);
            return [
                asked.get("radar"),
                oneOf("stage", STAGES, "tried"),
                asked.get("name") || "",
                bp,
                oneOf("of", MATRICES, "evidence"),
                pair,
            ];
        },

        /* Note the choice and write it into the address. */
        select: (radar, stage, name, bp, of, chosen) => {
            if (chosen !== pair) set("radar-watched", { children: "" });
            pair = chosen;
            remember({
                radar: radar,
                stage: stage === "tried" ? null : stage,
                name: name,
                bp: bp,
                of: of === "evidence" ? null : of,
                pair: pair,
            });
            look({ radar: radar, stage: stage, name: name, bp: bp || 0, of: of, pair: pair });
            return `radar-shown${pair ? " is-chosen" : ""}`;
        },

        /* Choose the pair of a cell. */
        pick: (clicked) => {
            const cell = clicked?.points?.[0];
            if (!cell || cell.x === cell.y) return keep();
            choose(`${cell.y}-${cell.x}`);
            return keep();
        },
    };

    document.addEventListener("click", pick);
    document.addEventListener("keydown", pick);
    window.setInterval(mark, MARK_EVERY_MS);
})();
