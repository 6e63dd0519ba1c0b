/* What the page of pairs does by itself. */
(() => {
    "use strict";

    const RANGES = ["5m", "30m", "2h", "1d"];
    const MOST_POINTS = 10000;
    // Older signals are asked for when this many are left to the left of what is seen.
    const POINTS_AHEAD = 120;
    const LOOK_EVERY_MS = 400;
    const {
        texts,
        query,
        remember,
        complain,
        looking,
        oneOf,
        someOf,
        look,
        set,
        props,
        number,
        keep,
        constants,
    } = window.pairstream;
    const PANES = constants.panes;
    const FEW_PANES = PANES.slice(0, 3);

    let panes = PANES;
    let drawn = null; // pair and range on the chart
    let older = 0; // how many points the chart should have
    let versus = null; // the second pair of the address, until it is known which there are
    let turn = 0; // how often it was emptied: what comes after belongs to another turn

    /* All panes where there is room for them. */
    function usual() {
        return window.innerWidth >= 640 && window.innerHeight >= 760 ? PANES : FEW_PANES;
    }

    function same(one, other) {
        return one.join() === other.join();
    }

    /* Ask for older signals where the left end of the chart comes into sight. */
    function reach() {
        const note = document.getElementById("pair-older");
        if (!note || !window.dash_component_api) return;
        const { barsInLogicalRange: bars, visibleLogicalRange: range } = props("chart-pair");
        if (!drawn || !bars || !range) return;
        note.classList.toggle("is-shown", range.from < -1);
        const held = Math.round(range.to + bars.barsAfter) + 1;
        if (range.from >= -POINTS_AHEAD / 10 || held >= MOST_POINTS || older > held) return;
        older = Math.min(MOST_POINTS, 2 * Math.max(held, 300));
        look({ older: older });
    }

    /* Numbers as their price scale writes them. */
    function text(value, series) {
        const format = series?.options.priceFormat;
        if (!format) return number(value, 8);
        const digits = { minimumFractionDigits: format.precision, maximumFractionDigits: format.precision };
        return value.toLocaleString("en-US", digits).replace(/,/g, "\u202f").replace("-", "\u2212");
    }

    window.dash_clientside.pairs = {
        /* Read pair, range and panes from the address. */
        route: () => {
            drawn = null;
            older = 0;
            versus = query().get("vs");
            const asked = someOf("panes", PANES);
            const chosen = PANES.filter((pane) => asked.includes(pane));
            panes = chosen.length ? chosen : usual();
            look({ panes: panes });
            return [query().get("pair") || keep(), oneOf("range", RANGES, "30m"), panes];
        },

        /* Note the choice, write it into the address, and take what belongs to the old one off the screen at once. */
        select: (pair, range) => {
            if (pair) remember({ pair: pair, range: range });
            drawn = pair && `${pair}|${range}`;
            older = 0;
            if (drawn && (props("chart-pair").series || []).some((one) => one.id.endsWith(`|${drawn}`))) {
                look({ pair: pair, range: range, older: older }); // the server chose it, and has drawn it
                return [keep(), keep()];
            }
            turn += 1;
            set("chart-pair", {
                series: panes.map((_, n) => ({ id: `none${n}`, type: "line", data: [], pane: n })),
            });
            set("pair-state", { children: "", className: "pane-empty" });
            look({ pair: pair, range: range, turn: turn, older: older });
            return [texts.loading, "pane-empty is-shown"];
        },

        /* Note the second pair, if it is one of those there are. */
        compare: (chosen, known) => {
            if (!known?.length) return keep();
            const asked = versus || chosen;
            const isKnown = !asked || known.includes(asked);
            if (!isKnown && versus) complain("vs", asked, texts.address.pair);
            versus = null;
            const shown = (isKnown && asked) || null;
            remember({ vs: shown });
            if ((looking()?.asks.vs || null) !== shown) look({ vs: shown });
            return shown === chosen ? keep() : shown;
        },

        /* The chart keeps one pane at least. */
        choose_panes: (chosen) => {
            const ordered = PANES.filter((pane) => chosen.includes(pane));
            if (!ordered.length) return panes;
            if (!same(ordered, panes)) {
                panes = ordered;
                remember({ panes: same(panes, usual()) ? null : panes.join(",") });
                look({ panes: panes });
            }
            return keep();
        },

        /* Put markers, the band and shades on the chart; the lines keep their points, and the reader the view.
           Series that have them already stay as they are: a second drawing would lose the range of the first. */
        add: (extras, series) => {
            if (!extras || !series?.some((one) => extras[one.id])) return keep();
            // Points of their own: the page empties those that a chart no longer shows.
            extras = Object.fromEntries(
                Object.entries(extras).map(([id, one]) => [
                    id,
                    one.data ? Object.assign({}, one, { data: one.data.slice() }) : one,
                ]),
            );
            const differs = (one) =>
                JSON.stringify(one) !== JSON.stringify(series.find((drawn) => drawn.id === one.id));
            const added = series
                .filter((one) => extras[one.id] || !one.id.startsWith("shade|"))
                .map((one) => (extras[one.id] ? Object.assign({}, one, extras[one.id]) : one));
            added.push(
                ...Object.values(extras).filter(
                    (one) => one.type && !added.some((drawn) => drawn.id === one.id),
                ),
            );
            const isNew =
                added.length !== series.length || added.some((one) => extras[one.id] && differs(one));
            return isNew ? added : keep();
        },

        /* The values under the cursor, beside the name of their pane, and what a marker there stands for. */
        legend: (crosshair) => {
            const found = {};
            const series = Object.fromEntries((props("chart-pair").series || []).map((one) => [one.id, one]));
            for (const [id, point] of Object.entries(crosshair?.seriesData || {})) {
                const isShade = id.startsWith("shade|");
                if (point.customValues) found[isShade ? "missing" : "corrected"] = point.customValues.text;
                if (!isShade && point.value !== undefined)
                    found[id.split("|")[0]] = text(point.value, series[id]);
            }
            const band = found.low && found.high ? `  ${found.low} to ${found.high}` : "";
            found.prices = found.y && found.x ? `${found.y}  ${found.x}` : "";
            for (const pane of ["zscore", "spread"])
                if (found[pane] && found[`vs-${pane}`]) found[pane] += `  ${found[`vs-${pane}`]}`;
            if (found["hedge-ratio"]) found["hedge-ratio"] += band;
            return [
                ...PANES.map((pane) => found[pane] || ""),
                crosshair?.hoveredObjectId || found.missing || found.corrected || "",
            ];
        },
    };

    window.setInterval(reach, LOOK_EVERY_MS);
})();
