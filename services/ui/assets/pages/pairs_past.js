/* Goes to a moment of the past of a pair, and back to now. */
(() => {
    "use strict";

    const { keep, instant, props } = window.pairstream;
    const AWAY = "past is-away";

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
            if (moment === null || !pair) return [keep(), keep()];
            return [{ pair: pair, at_us: moment, zone: zone, asked: Date.now() }, false];
        },

        /* One of both is in sight. */
        show: (_asks) => {
            const by = window.dash_clientside.callback_context.triggered_id;
            return by === "past-asks" ? ["past", "is-away"] : [AWAY, ""];
        },
    };
})();
