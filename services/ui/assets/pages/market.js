/* What the page of the market does by itself. */
(() => {
    "use strict";

    const COUNTS = ["1", "2", "4"];
    const PLACES = ["", "-2", "-3", "-4"];
    const FIRST_BARS = 500;
    const MOST_BARS = 19000;
    // Older bars are asked for when this many are left to the left of what is seen.
    const BARS_AHEAD = 60;
    const LOOK_EVERY_MS = 400;
    const RIGHT_OFFSET = 4;
    const { texts, query, remember, oneOf, look, set, props, markRow, keep, constants } = window.pairstream;
    const SECONDS = constants.widths;
    const USUAL = constants.charts;

    let symbol = null;
    let find = "";
    let drawn = {}; // what each chart shows
    let older = {}; // how many bars each chart should have
    let pointed = null; // the place of the chart that the cursor is over
    const turns = {}; // how often each chart was emptied: what comes after belongs to another turn

    function empty(place) {
        turns[place] = (turns[place] || 0) + 1;
        delete older[place];
        set(`chart-candles${place}`, { series: [] });
        set(`candles-empty${place}`, { children: texts.loading, className: "pane-empty is-shown" });
        set(`legend-bar${place}`, { children: "" });
        set(`older${place}`, { children: "" });
    }

    function grid(use) {
        const table = document.getElementById("symbols-table");
        if (table && window.dash_ag_grid) window.dash_ag_grid.getApiAsync("symbols-table").then(use);
    }

    function search(api) {
        if ((api.getGridOption("quickFilterText") || "") !== find) api.setGridOption("quickFilterText", find);
    }

    function choose(event) {
        const row = event.target.closest?.("#symbols-table .ag-row");
        if (row && (event.type === "click" || event.key === "Enter"))
            set("symbol", { data: row.getAttribute("row-id") });
    }

    /* Ask for older bars where the left end of a chart comes into sight. */
    function reach() {
        if (!document.getElementById("page-market") || !window.dash_component_api) return;
        // The table and its rows come late.
        grid(search);
        markRow("symbols-table", symbol);
        let wants = false;
        for (const place of PLACES.filter((place) => drawn[place])) {
            const { barsInLogicalRange: bars, visibleLogicalRange: range } = props(`chart-candles${place}`);
            const note = document.getElementById(`older${place}`);
            // Both are reported at once; when one of them was set by somebody else the other is about to follow.
            if (!bars || !range || !note || Math.abs(bars.barsBefore - range.from) >= 1) continue;
            note.classList.toggle("is-shown", range.from < 0);
            /* The legend is of the newest bar: it is hidden while that is out of sight. */
            note.closest(".pane-body").classList.toggle("is-past", bars.barsAfter > 1);
            const held = Math.round(range.to + bars.barsAfter) + 1;
            if (range.from < BARS_AHEAD && held < MOST_BARS && !(older[place] > held)) {
                older[place] = Math.min(MOST_BARS, 2 * Math.max(held, FIRST_BARS));
                wants = true;
            }
        }
        if (wants) look({ older: Object.assign({}, older) });
    }

    /* Point at the bars of the same time in the other charts; to nothing where it is out of their sight. */
    function point(place, crosshair) {
        const from = `candles|${drawn[place]}`;
        for (const other of PLACES.filter((one) => one !== place && drawn[one])) {
            const { visibleRange: seen, crosshairPosition: before } = props(`chart-candles${other}`);
            const width = SECONDS[drawn[other].split("|")[1]];
            const time = crosshair?.time ? Math.floor(crosshair.time / width) * width : null;
            const isSeen = time !== null && seen && seen.from <= time && time <= seen.to;
            const now = isSeen
                ? { seriesId: `candles|${drawn[other]}`, time: time, price: crosshair.price[from] }
                : null;
            if (JSON.stringify(now) !== JSON.stringify(before || null)) {
                set(`chart-candles${other}`, { crosshairPosition: now });
            }
        }
    }

    /* Numbers of a bar as its price scale writes them. */
    function price(value, series, id) {
        const digits = series.find((one) => one.id === id).options.priceFormat.precision;
        return value
            .toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })
            .replace(/,/g, "\u202f");
    }

    window.dashAgGridComponentFunctions ??= {};
    const components = window.dashAgGridComponentFunctions;

    /* The closes of the last hour, from low to high. */
    components.MarketHour = (cell) => {
        const { heights, text } = cell.data;
        if (!heights?.length) return "";
        const points = heights
            .map((height, minute) => (height === null ? null : `${minute},${100 - height}`))
            .filter((point) => point !== null)
            .join(" ");
        return React.createElement(
            "svg",
            {
                className: `hour${cell.value < 0 ? " down" : " up"}`,
                role: "img",
                viewBox: "0 -6 60 112",
                preserveAspectRatio: "none",
                "aria-label": texts.market.lastHour(text.hour),
            },
            React.createElement("polyline", { points: points, vectorEffect: "non-scaling-stroke" }),
        );
    };

    /* Offer what the API has found, in its order, whatever it is called. */
    window.dashMantineFunctions = Object.assign(window.dashMantineFunctions || {}, {
        asAnswered: ({ options, limit }) => options.slice(0, limit),
    });

    window.dash_clientside.market = {
        /* Read symbol, filter, and the interval of each chart from the address. */
        route: () => {
            drawn = {};
            older = {};
            symbol = pointed = null;
            const asked = (query().get("interval") || "").split(",").filter((one) => one in SECONDS);
            const count = oneOf(String(asked.length), COUNTS, "1");
            return [
                query().get("symbol") || keep(),
                query().get("find") || "",
                count,
                ...USUAL.map((usual, place) => asked[place] || usual),
            ];
        },

        /* Note the choice, write it into the address, and take what belongs to the old one off the screen at once. */
        select: (chosen, count, ...intervals) => {
            const shown = intervals.slice(0, Number(count));
            symbol = chosen || null;
            if (symbol) remember({ symbol: symbol, interval: shown.join(",") });
            PLACES.forEach((place, n) => {
                const shows = symbol && shown[n] ? `${symbol}|${shown[n]}` : null;
                const isDrawn =
                    shows &&
                    (props(`chart-candles${place}`).series || []).some(
                        (one) => one.id === `candles|${shows}`,
                    ); // the server chose it
                if (shows !== (drawn[place] || null) && !isDrawn) empty(place);
                drawn[place] = shows;
            });
            markRow("symbols-table", symbol);
            look({
                symbol: symbol,
                interval: shown.join(","),
                turns: Object.assign({}, turns),
                older: Object.assign({}, older),
            });
            return `charts of-${count}`;
        },

        /* As many bars as are seen, the newest at the right edge. */
        to_now: (_clicks, range, bars) => {
            if (!range || !bars) return keep();
            const moved = bars.barsAfter + RIGHT_OFFSET;
            return { from: range.from + moved, to: range.to + moved, nonce: Date.now() };
        },

        filter: (text) => {
            find = text || "";
            remember({ find: find });
            grid(search);
            return "";
        },

        /* Put the shades of what is missing on the charts; the candles keep their points. */
        shade: (shades, ...charts) =>
            charts.map((series) => {
                if (!shades || !series?.length) return keep();
                // Points of its own: the page empties those that a chart no longer shows.
                const wanted = [shades[series[0].id.slice("candles|".length)]]
                    .filter(Boolean)
                    .map((one) => Object.assign({}, one, { data: one.data.slice() }));
                const isShade = (one) => one.id.startsWith("shade|");
                if (JSON.stringify(series.filter(isShade)) === JSON.stringify(wanted)) return keep();
                return [...series.filter((one) => !isShade(one)), ...wanted];
            }),

        /* Open, high, low, close, volume and VWAP of the bar under the cursor; the other charts point at its time. */
        legend: (crosshair) => {
            const chart = window.dash_clientside.callback_context.triggered_id;
            const at = (chart || "").slice("chart-candles".length);
            const isOver = Boolean(crosshair?.point) && document.getElementById(chart).matches(":hover");
            // A chart that is pointed at by another one speaks, too, when its bars move.
            if (!isOver && pointed !== null && pointed !== at) return "";
            if (isOver || pointed === at) point(at, isOver ? crosshair : null);
            pointed = isOver ? at : null;
            const found = {};
            for (const [id, point] of Object.entries(crosshair?.seriesData || {})) {
                found[id.split("|")[0]] = { id: id, point: point };
            }
            const { candles, volume, vwap, shade } = found;
            if (!candles || candles.point.open === undefined) return "";
            const place = PLACES.find((one) => (drawn[one] || "") === candles.id.slice("candles|".length));
            const series = place === undefined ? [] : props(`chart-candles${place}`).series || [];
            if (!series.some((one) => one.id === candles.id)) return ""; // a late word about what is gone
            const parts = ["open", "high", "low", "close"].map(
                (name) => `${name[0].toUpperCase()}\u00a0${price(candles.point[name], series, candles.id)}`,
            );
            if (volume) parts.push(`V\u00a0${window.pairstream.number(volume.point.value, 4)}`);
            if (vwap && vwap.point.value !== undefined)
                parts.push(`VWAP\u00a0${price(vwap.point.value, series, vwap.id)}`);
            if (candles.point.color) parts.push(texts.market.open);
            if (shade?.point.customValues) parts.push(shade.point.customValues.text);
            return parts.join("  ");
        },
    };

    document.addEventListener("click", choose);
    document.addEventListener("keydown", choose);
    window.setInterval(reach, LOOK_EVERY_MS);
})();
