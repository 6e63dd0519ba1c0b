/* Formatting of numbers and times in the reader's time zone. */
(() => {
    "use strict";

    let zone = "UTC";
    /** @type {Record<string, Intl.DateTimeFormat>} */
    const formats = {};

    /**
     * @param {number | string} value
     * @param {number} digits significant ones, at most
     */
    function number(value, digits) {
        return Number(value)
            .toLocaleString("en-US", { maximumSignificantDigits: digits })
            .replace(/,/g, "\u202f")
            .replace("-", "\u2212");
    }

    /**
     * A moment as 2026-01-31 12:34:56.
     *
     * @param {number | null | undefined} ms since the epoch
     * @param {"day" | "minute" | "second"} [part] only the day, or the time to the minute or second
     */
    function moment(ms, part) {
        if (ms === null || ms === undefined) return "";
        formats[zone] ??= new Intl.DateTimeFormat("sv-SE", {
            timeZone: zone,
            year: "numeric",
            month: "2-digit",
            day: "2-digit",
            hour: "2-digit",
            minute: "2-digit",
            second: "2-digit",
            hour12: false,
        });
        const text = formats[zone].format(ms);
        if (part === "day") return text.slice(0, 10);
        if (part === "minute") return text.slice(11, 16);
        return part === "second" ? text.slice(11) : text;
    }

    /**
     * A moment as the value of a field for times: 2026-01-31 12:34, with its seconds if it has any.
     *
     * @param {number | null} ms
     */
    function local(ms) {
        return ms === null ? "" : moment(ms).replace(/:00$/, "");
    }

    /**
     * The moment that the value of a field for times means: a day, or a time to the minute or the second.
     *
     * @param {string | null | undefined} text
     * @returns {number | null} ms since the epoch, null if it is no such time
     */
    function instant(text) {
        const [, day, time] =
            (text || "").trim().match(/^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?))?$/) || [];
        const asked = Date.parse(`${day}T${time || "00:00"}Z`);
        if (Number.isNaN(asked) || new Date(asked).toISOString().slice(0, 10) !== day) return null;
        let at = asked;
        for (let n = 0; n < 2; n += 1) at -= Date.parse(`${moment(at).replace(" ", "T")}Z`) - asked;
        return at;
    }

    /**
     * A moment as the page's address has it.
     *
     * @param {number | null} ms
     */
    function address(ms) {
        return ms === null ? null : new Date(ms).toISOString().replace(/(:00)?\.000Z$/, "Z");
    }

    /**
     * The moment that a text of the page's address means.
     *
     * @param {string | null | undefined} text
     * @returns {number | null} ms since the epoch
     */
    function written(text) {
        const at = Date.parse(text || "");
        return Number.isNaN(at) ? null : at;
    }

    /**
     * Whether the browser knows the time zone.
     *
     * @param {string | null} name of the IANA database
     */
    function isZone(name) {
        try {
            Intl.DateTimeFormat("en", { timeZone: name || "none" });
        } catch {
            return false;
        }
        return true;
    }

    /**
     * Show all times in a time zone from now on, if the browser knows it.
     *
     * @param {string} name of the IANA database
     */
    function setZone(name) {
        if (!isZone(name)) return false;
        zone = name;
        return true;
    }

    Object.assign(window.pairstream, {
        number,
        moment,
        local,
        instant,
        address,
        written,
        isZone,
        setZone,
        zone: () => zone,
    });
})();
