/* What the page of rules does by itself: a rule is tried once its writer has paused, sliders move its levels. */
(() => {
    "use strict";

    const PAUSE_MS = 400;
    const CHART = "chart-rule";
    const TABLE = "rules-table";
    const LEVELS = ["fire", "clear"];
    const { set, keep, query, remember, look, markRow, props } = window.pairstream;
    let waiting = 0;
    let bounds = null; // of both sliders
    let placed = {}; // where each slider was put, not drawn by its reader
    let isChosen = false; // whether a rule was, since the page was opened: until then the address may name one

    function isNumber(value) {
        return typeof value === "number" && Number.isFinite(value);
    }

    /* Where the sliders begin and end: of one metric they only ever grow, so that no thumb runs away from its reader. */
    function widened(next) {
        if (!next || !bounds || next.key !== bounds.key) return next;
        return {
            key: next.key,
            min: Math.min(bounds.min, next.min),
            max: Math.max(bounds.max, next.max),
            step: Math.max(bounds.step, next.step),
        };
    }

    window.dash_clientside.rules = {
        /* The rule that the address names. */
        route: () => {
            bounds = null;
            placed = {};
            isChosen = false;
            return query().get("rule") || keep();
        },

        /* Write the rule that is chosen into the address, and mark it in the table. */
        chosen: (stored) => {
            const id = stored ? stored.rule.id : null;
            isChosen ||= Boolean(id);
            if (isChosen) remember({ rule: id });
            look({ rule: id });
            if (id) markRow(TABLE, id);
            return keep();
        },

        /* Have the rule in the form tried, and what is wrong with it said at its fields. */
        ask: (stored, pair, ...values) => {
            window.clearTimeout(waiting);
            waiting = window.setTimeout(() => {
                if (document.getElementById("page-rules"))
                    set("rule-asks", {
                        data: {
                            stored: stored || null,
                            pair: pair || "",
                            drawn: props(CHART).series?.[0]?.id || "",
                            values: values.map((one) => one ?? ""),
                        },
                    });
            }, PAUSE_MS);
            return keep();
        },

        /* Put the sliders where the levels are; an empty "Clear at" is where it fires. */
        place: (fire, clear, next) => {
            bounds = widened(next);
            const levels = { fire: fire, clear: isNumber(clear) ? clear : fire };
            return LEVELS.flatMap((name) => {
                if (!bounds || !isNumber(levels[name])) return [keep(), keep(), keep(), keep(), true];
                const at = Math.min(bounds.max, Math.max(bounds.min, levels[name]));
                placed[name] = at;
                return [at, bounds.min, bounds.max, bounds.step, false];
            });
        },

        /* Take a level from its slider, if its reader has moved it. */
        slide: (...at) => {
            LEVELS.forEach((name, n) => {
                if (!bounds || !isNumber(at[n]) || at[n] === placed[name]) return;
                placed[name] = at[n];
                set(`rule-${name}`, { value: at[n] });
            });
            return keep();
        },

        /* What is refused is in sight. */
        unfold: (...errors) => {
            const more = /** @type {HTMLDetailsElement | null} */ (document.getElementById("rule-more"));
            if (more && errors.some(Boolean)) more.open = true;
            return keep();
        },
    };
})();
