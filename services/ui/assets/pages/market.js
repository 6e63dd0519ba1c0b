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
    const { texts, query, remember, complain, someOf, look, set, props, markRow, keep, constants } =
        window.pairstream;
    const SECONDS = constants.chart_widths;
    const USUAL = constants.charts;

    // From this width of the window on there is room for two charts.
    const WIDE = 1600;

    let active = ""; // the place of the chart that was used last
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

    /* The symbols of the charts in order: `names` are those that are said, of the others it is the first. */
    function listed(names, count) {
        const all = (names || "").split(",").filter((one) => one);
        return PLACES.slice(0, count).map((_, n) => all[n] || all[0] || null);
    }

    function symbolAt(place) {
        return (drawn[place] || "").split("|")[0] || null;
    }

    /* One name where all charts have the same. */
    function joined(names) {
        return new Set(names).size > 1 ? names.join(",") : names[0];
    }

    /* The select of a chart shows its symbol once it has it among its options: it forgets what it does not know. */
    function fill(place) {
        const { data, value } = props(`symbol-select${place}`);
        const symbol = symbolAt(place);
        if (symbol && value !== symbol && (data || []).includes(symbol))
            set(`symbol-select${place}`, { value: symbol });
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
        if (!row || (event.type === "keydown" && event.key !== "Enter")) return;
        // Charts of one symbol, with other intervals, go on together.
        const before = symbolAt(active) || symbolAt("");
        const names = PLACES.filter((place) => drawn[place]).map(symbolAt);
        const chosen = row.getAttribute("row-id");
        set("symbol", {
            data: joined(names.length ? names.map((one) => (one === before ? chosen : one)) : [chosen]),
        });
    }

    /* The chart that is clicked on or has the focus is the active one. */
    function use(event) {
        const pane = event.target.closest?.("#charts > .pane");
        const place = pane ? PLACES[[...pane.parentElement.children].indexOf(pane)] : active;
        if (place !== active) set("active-chart", { data: place });
    }

    /* Ask for older bars where the left end of a chart comes into sight. */
    function reach() {
        if (!document.getElementById("page-market") || !window.dash_component_api) return;
        // The table and its rows come late.
        grid(search);
        markRow("symbols-table", symbolAt(active));
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

    window.dash_clientside.market = {
        /* Read symbol, filter, and the interval of each chart from the address. */
        route: () => {
            drawn = {};
            older = {};
            active = "";
            pointed = null;
            const given = query().get("interval");
            const asked = (given || "").split(",").filter((one) => one in SECONDS);
            const usualCount = given || window.innerWidth < WIDE ? "1" : "2";
            const isCount = COUNTS.includes(String(asked.length));
            const count = isCount ? String(asked.length) : usualCount;
            if (given && (!isCount || asked.length !== given.split(",").length))
                complain("interval", given, texts.address.intervals(COUNTS, Object.keys(SECONDS)));
            const logarithmic = someOf(
                "log",
                PLACES.map((_, n) => String(n + 1)),
            );
            return [
                query().get("symbol") || keep(),
                query().get("find") || "",
                count,
                ...USUAL.map((usual, place) => asked[place] || usual),
                ...PLACES.map((_, n) => logarithmic.includes(String(n + 1))),
            ];
        },

        /* Note the choice, write it into the address, and take what belongs to the old one off the screen at once. */
        select: (chosen, used, count, ...controls) => {
            const shown = controls.slice(0, Number(count));
            const names = listed(chosen, Number(count));
            const log = PLACES.filter((_, n) => shown[n] && controls[PLACES.length + n]);
            active = shown[PLACES.indexOf(used)] ? used : "";
            if (names[0])
                remember({
                    symbol: joined(names),
                    interval: shown.join(","),
                    log: log.map((place) => PLACES.indexOf(place) + 1).join(","),
                });
            PLACES.forEach((place, n) => {
                const shows = names[n] && shown[n] ? `${names[n]}|${shown[n]}` : null;
                const isDrawn =
                    shows &&
                    (props(`chart-candles${place}`).series || []).some(
                        (one) => one.id === `candles|${shows}`,
                    ); // the server chose it
                if (shows !== (drawn[place] || null) && !isDrawn) empty(place);
                drawn[place] = shows;
                fill(place);
                document
                    .getElementById(`chart-candles${place}`)
                    ?.closest(".pane")
                    ?.classList.toggle("is-active", place === active && shown.length > 1);
            });
            markRow("symbols-table", symbolAt(active));
            look({
                symbol: names[0] && joined(names),
                interval: shown.join(","),
                active: active,
                log: log,
                turns: Object.assign({}, turns),
                older: Object.assign({}, older),
            });
            return `charts of-${count}`;
        },

        /* A chart gets the symbol that is chosen in its own select. */
        pick: (...values) => {
            const by = window.dash_clientside.callback_context.triggered.map((one) => one.prop_id);
            PLACES.forEach((place) => {
                if (by.includes(`symbol-select${place}.data`)) fill(place);
            });
            const chosen = PLACES.map((place, n) =>
                by.includes(`symbol-select${place}.value`) && drawn[place] ? values[n] : null,
            );
            const names = PLACES.filter((place) => drawn[place]).map(symbolAt);
            const next = names.map((name, n) => chosen[n] || name);
            return next.some((name, n) => name !== names[n]) ? joined(next) : keep();
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
            charts.map((series, n) => {
                if (!shades || !series?.length) return keep();
                // Points of its own: the page empties those that a chart no longer shows.
                const key = series[0].id.slice("candles|".length);
                const wanted = [shades[`chart-candles${PLACES[n]}`]]
                    .filter((one) => one && one.id === `shade|${key}`)
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

    document.addEventListener("pointerdown", use);
    document.addEventListener("focusin", use);
    document.addEventListener("click", choose);
    document.addEventListener("keydown", choose);
    window.setInterval(reach, LOOK_EVERY_MS);
})();
