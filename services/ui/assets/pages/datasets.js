/* What is chosen on the page of uploaded history, and what is looked at of it. */
(() => {
    "use strict";

    const SHOWS = ["candles", "pair", "report"];
    const COUNTS = ["500", "2000", "10000", "all"];
    const EVER = "1970-01-01T00:00:00Z";
    const KINDS = ["all", "rejected", "repeated", "out of order", "gap", "carried"];
    const LOOK_EVERY_MS = 400;
    const { texts, query, remember, oneOf, look, set, markRow, number, moment, constants } =
        window.pairstream;
    // Files of the narrowest bars have them as their own.
    const INTERVALS = ["own", ...Object.keys(constants.widths).slice(1)];

    let dataset = null;
    let turn = 0;

    /* A time as the reader writes it, in the reader's zone, in microseconds since 1970; null if it is none. */
    function instant(text) {
        const guess = Date.parse(
            `${text
                .trim()
                .replace(" ", "T")
                .replace(/^(\d{4}-\d\d-\d\d)$/, "$1T00:00")}Z`,
        );
        if (Number.isNaN(guess)) return null;
        const away = (ms) => Date.parse(`${moment(ms).replace(" ", "T")}Z`) - ms;
        return String(1000 * (guess - away(guess - away(guess))));
    }

    /* Rows come late and go: see to it now and then that the chosen one is marked. */
    function mark() {
        if (document.getElementById("page-upload") && window.dash_component_api)
            markRow("datasets-table", dataset);
    }

    function pick(event) {
        const row = event.target.closest?.("#datasets-table .ag-row");
        if (row && (event.type === "click" || event.key === "Enter"))
            set("dataset", { data: row.getAttribute("row-id") });
    }

    window.dash_clientside.dataset = {
        /* Read everything from the address. */
        route: () => {
            const asked = query();
            const pair = asked.get("pair") || "";
            const [y, x] = pair.split(pair.includes("--") ? "--" : "-");
            dataset = asked.get("dataset");
            return [
                dataset,
                oneOf("show", SHOWS, "candles"),
                asked.get("symbol"),
                y || null,
                x || null,
                oneOf("interval", INTERVALS, "own"),
                oneOf("bars", COUNTS, "2000"),
                asked.get("before") || "",
                oneOf("kind", KINDS, "all"),
            ];
        },

        /* Note the choice, write it into the address, and cover what belongs to the old one at once. */
        select: (chosen, show, symbol, y, x, interval, bars, before, kind) => {
            if (chosen !== dataset) {
                dataset = chosen;
                if (symbol || y || x || before || interval !== "own") {
                    for (const name of ["symbol", "y", "x"]) set(`dataset-${name}`, { value: null });
                    set("dataset-before", { value: "" });
                    set("dataset-interval", { value: "own" });
                    [symbol, y, x, interval, before] = [null, null, null, "own", ""];
                }
                look({ changed: Date.now() });
            }
            const end = before ? instant(before) : "";
            const pair = y && x ? `${y}${`${y}${x}`.includes("-") ? "--" : "-"}${x}` : null;
            const unusual = (value, usual) => (dataset && value !== usual ? value : null);
            remember({
                dataset: dataset,
                show: unusual(show, "candles"),
                symbol: dataset && symbol,
                pair: dataset && pair,
                interval: unusual(interval, "own"),
                bars: unusual(bars, "2000"),
                before: dataset && before,
                kind: unusual(kind, "all"),
            });
            set("candles-none", { children: texts.loading, className: "pane-empty is-shown" });
            if (dataset) set("dataset-empty", { children: texts.loading, className: "pane-empty is-shown" });
            look({
                dataset: dataset,
                show: show,
                symbol: symbol,
                y: y,
                x: x,
                interval: interval,
                bars: bars,
                end: end || null,
                kind: kind,
                turn: ++turn,
            });
            const subject =
                dataset && show === "pair" && pair && end !== null
                    ? {
                          pair: pair,
                          dataset: dataset,
                          interval: interval === "own" ? null : interval,
                          end: end || null,
                          ...(bars === "all" ? { start: EVER } : { bars: Number(bars) }),
                      }
                    : null;
            return [
                `upload-shown ${dataset ? `is-${show}` : "is-new"}`,
                subject,
                end === null ? texts.datasets.expectedTime : "",
            ];
        },

        ask_delete: () => window.dash_clientside.callback_context.triggered_id === "dataset-delete",

        /* Open, high, low, close and volume of the bar under the cursor. */
        legend: (crosshair) => {
            const found = {};
            for (const [id, point] of Object.entries(crosshair?.seriesData || {})) {
                found[id.split("|")[0]] = point;
            }
            if (!found.candles || found.candles.open === undefined) return "";
            const parts = ["open", "high", "low", "close"].map(
                (name) => `${name[0].toUpperCase()} ${number(found.candles[name], 10)}`,
            );
            return parts.concat(found.volume ? `V ${number(found.volume.value, 6)}` : []).join("  ");
        },
    };

    document.addEventListener("click", pick);
    document.addEventListener("keydown", pick);
    window.setInterval(mark, LOOK_EVERY_MS);
})();
