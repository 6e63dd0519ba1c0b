/* Goes to a moment or a range of the past of a pair, which the address has, and back to now. */
(() => {
    "use strict";

    const { keep, instant, local, address, written, query, remember, set, props, texts, constants } =
        window.pairstream;
    const AWAY = "past is-away";
    const LONGEST_MS = constants.longest_past * 1000;

    let page = null; // the opening of the page whose address was read
    let asked = null; // what the address asked for, until a pair is chosen

    /* A range of the address, START..END or END alone; null if it is none. */
    function read(text) {
        const ends = (text || "").split("..").map(written);
        if (!text || ends.length > 2 || ends.includes(null)) return null;
        return { from: ends.length > 1 ? ends[0] : null, at: ends[ends.length - 1] };
    }

    /* Why these fields name no range, by field. */
    function wrong(from, at) {
        const expected = (text) => texts.expectedTime(text || texts.past.nothing);
        const begin = from ? instant(from) : null;
        if (from && begin === null) return { "past-from": expected(from) };
        if (instant(at) === null) return { "past-at": expected(at) };
        if (begin === null) return {};
        if (begin >= instant(at)) return { "past-from": texts.past.notBefore };
        return instant(at) - begin > LONGEST_MS ? { "past-from": texts.past.tooLong } : {};
    }

    function show(pair, range, zone) {
        const begin = range.from === null ? "" : `${address(range.from)}..`;
        remember({ past: begin + address(range.at) });
        set("past-from", { value: local(range.from), error: "" });
        set("past-at", { value: local(range.at), error: "" });
        const us = (ms) => (ms === null ? null : ms * 1000);
        return {
            pair: pair,
            from_us: us(range.from),
            at_us: us(range.at),
            zone: zone,
            asked: Date.now(),
        };
    }

    window.dash_clientside.pairs_past = {
        ask: (_look, _work, click, pair, from, at, work, zone, shown) => {
            const by = window.dash_clientside.callback_context.triggered_id;
            const main = document.getElementById("page-pairs");
            if (main !== page) {
                page = main;
                asked = query().get("past");
            }
            let range = null;
            if (by === "past-look") {
                const errors = wrong(from, at);
                for (const field of ["past-from", "past-at"]) set(field, { error: errors[field] || "" });
                if (Object.keys(errors).length) return [keep(), keep()];
                range = { from: from ? instant(from) : null, at: instant(at) };
            }
            if (by === "past-from-work" && work) range = { from: null, at: work.second * 1000 };
            if (by === "chart-past" && typeof click?.time === "number")
                range = { from: null, at: click.time * 1000 };
            if (by === "pair-select" && pair && asked) {
                range = read(asked);
                if (range === null)
                    set("past-at", { value: asked, error: texts.past.expectedAddress(asked) });
                asked = null;
            } else if (by === "pair-select" && shown !== AWAY) {
                const before = props("past-asks").data;
                const ms = (us) => (us === null ? null : us / 1000);
                if (before) range = { from: ms(before.from_us), at: ms(before.at_us) };
            }
            if (range === null || !pair) return [keep(), keep()];
            return [show(pair, range, zone), false];
        },

        /* One of both is in sight. */
        show: (_asks) => {
            const by = window.dash_clientside.callback_context.triggered_id;
            if (by === "past-asks") return ["past", "is-away"];
            remember({ past: null });
            return [AWAY, ""];
        },
    };
})();
