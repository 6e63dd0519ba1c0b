/* What the side of the page of pairs does by itself: tabs, the form of settings, what-if. */
(() => {
    "use strict";

    const TABS = ["tests", "calibration", "whatif", "sizes", "settings", "pairs"];
    const FIELDS = [
        "method",
        "window",
        "transform",
        "intercept",
        "min_samples",
        "entry_z",
        "exit_z",
        "stale_after_s",
        "only_while_reverting",
    ];
    const MOST_BARS = 10000;
    const { remember, oneOf, look, set, keep, constants } = window.pairstream;
    const SECONDS = constants.widths;
    const texts = window.pairstream.texts.settings;

    let base = null; // the settings the form was filled from

    function say(value) {
        return typeof value === "boolean" ? (value ? texts.yes : texts.no) : String(value);
    }

    /* Which fields say something else than what they were filled with. */
    function edited(values) {
        return base ? FIELDS.filter((name, place) => values[place] !== base[name]) : [];
    }

    /* What a what-if begins with: what the live pair does. */
    function usual(live, panel) {
        const window = Math.min(live.window, MOST_BARS);
        const asLive = {
            method: live.method,
            window: window,
            transform: live.transform,
            intercept: live.intercept,
            bars: Math.min(MOST_BARS, Math.max(1800, 2 * window)),
        };
        return panel.names.map((name, place) => (name in asLive ? asLive[name] : panel.usual[place]));
    }

    window.dash_clientside.pairs_side = {
        /* The settings are filled anew: the page was opened. */
        route: () => {
            base = null;
            return oneOf("side", TABS, "tests");
        },

        /* Ask for the pair that is shown, in the tab that is open. */
        subject: (tab, pair, live, tests, whatif) => {
            remember({ side: tab === "tests" ? null : tab });
            look({ side: tab });
            const known = live && live.pair === pair;
            const others = (known ? [tests, whatif] : []).filter(
                (panel) => usual(live, panel).join() !== panel.usual.join(),
            );
            for (const panel of others) {
                set(`${panel.prefix}-panel`, {
                    data: Object.assign({}, panel, { usual: usual(live, panel) }),
                });
            }
            if (others.length) return [keep(), keep(), keep()];
            const subject = known ? { pair: pair } : null;
            return ["tests", "whatif", "calibration"].map((name) => (tab === name ? subject : null));
        },

        /* Fill the form; what the reader has changed stays, and what somebody else has changed is said. */
        take: (live, saved, _discards, ...values) => {
            const by = window.dash_clientside.callback_context.triggered_id;
            const all = (settings) => FIELDS.map((name) => settings[name]);
            if (by === "settings-discard" && base) {
                for (const name of FIELDS) set(`settings-${name}`, { error: "" });
                set("settings-status", { children: "" });
                return [...all(base), ""];
            }
            const isSaved = by === "settings-saved" && saved;
            const now = isSaved ? saved : live;
            if (!now) return [...values.map(keep), keep()];
            if (isSaved && live && live.pair !== saved.pair) return [...values.map(keep), keep()];
            if (!base || base.pair !== now.pair) {
                if (base) set("settings-status", { children: "" });
                base = now;
                return [...all(now), ""];
            }
            const mine = edited(values);
            const changed = FIELDS.filter(
                (name, place) => now[name] !== base[name] && now[name] !== values[place],
            );
            const shown = FIELDS.map((name, place) => (mine.includes(name) ? values[place] : now[name]));
            base = now;
            if (!changed.length || isSaved) return [...shown, isSaved ? "" : keep()];
            const said = changed.map((name) =>
                texts.isNow(texts.names[name], say(now[name]), mine.includes(name)),
            );
            return [...shown, texts.changedElsewhere(said)];
        },

        /* Say what is not saved yet. */
        edits: (...values) => {
            values.pop();
            const names = edited(values).map((name) => texts.names[name]);
            return [names.length ? texts.notSaved(names) : "", !names.length, !names.length];
        },

        save: (clicks, ...values) => {
            const names = edited(values);
            if (!clicks || !base || !names.length) return keep();
            const change = {};
            for (const name of names) change[name] = values[FIELDS.indexOf(name)];
            return { pair: base.pair, change: change, clicks: clicks };
        },

        /* Put a what-if into the form of settings; live windows count seconds. */
        apply: (clicks, method, window, interval, transform, intercept) => {
            if (!clicks) return Array(7).fill(keep());
            const samples = window * SECONDS[interval];
            const text =
                texts.taken + (interval === "1s" ? "" : texts.windowInSamples(window, interval, samples));
            return ["settings", text, "panel-status", method, samples, transform, intercept];
        },
    };
})();
