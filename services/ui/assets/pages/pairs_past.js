/* Goes to a moment of the past of a pair, and back to now. */
(() => {
    "use strict";

    const { keep, instant, props, query, remember, written: parsed } = window.pairstream;
    const AWAY = "past is-away";
    let opened = null; // the page whose address has been read

    /* The moment that the field means, to the second. */
    function written(text) {
        const minute = instant(text);
        return minute === null ? null : (minute + 1000 * Number(text.slice(17, 19) || 0)) * 1000;
    }

    window.dash_clientside.pairs_past = {
        ask: (_look, _work, click, pair, at, work, zone, shown) => {
            const by = window.dash_clientside.callback_context.triggered_id;
            const before = props("past-asks").data;
            let moment = null;
            if (by === "past-look") moment = written(at);
            if (by === "past-from-work" && work) moment = work.second * 1e6;
            if (by === "chart-past" && typeof click?.time === "number") moment = click.time * 1e6;
            if (by === "pair-select" && shown !== AWAY && before) moment = before.at_us;
            const page = document.getElementById("page-pairs");
            if (by === "pair-select" && pair && page !== opened) {
                // The address may name a moment.
                opened = page;
                const asked = parsed(query().get("at"));
                if (asked !== null) moment = asked * 1000;
            }
            if (moment === null || !pair) return [keep(), keep()];
            return [{ pair: pair, at_us: moment, zone: zone, asked: Date.now() }, false];
        },

        /* One of both is in sight. */
        show: (asks) => {
            const by = window.dash_clientside.callback_context.triggered_id;
            const at = by === "past-asks" && asks ? new Date(asks.at_us / 1000).toISOString() : null;
            remember({ at: at && `${at.slice(0, 19)}Z` });
            return by === "past-asks" ? ["past", "is-away"] : [AWAY, ""];
        },
    };
})();
