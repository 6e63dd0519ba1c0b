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
     * A moment as the value of an input for local times.
     *
     * @param {number | null} ms
     */
    function local(ms) {
        return ms === null ? "" : moment(ms).slice(0, 16).replace(" ", "T");
    }

    /**
     * The moment that the value of an input for local times means.
     *
     * @param {string | null | undefined} text
     * @returns {number | null} ms since the epoch
     */
    function instant(text) {
        const asked = text ? Date.parse(`${text.slice(0, 16)}:00Z`) : NaN;
        if (Number.isNaN(asked)) return null;
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
        return ms === null ? null : `${new Date(ms).toISOString().slice(0, 16)}Z`;
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
     * Whether the browser knows the time zone, which all times are shown in from now on.
     *
     * @param {string} name of the IANA database
     */
    function setZone(name) {
        try {
            Intl.DateTimeFormat("en", { timeZone: name });
        } catch {
            return false;
        }
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
        setZone,
        zone: () => zone,
    });
})();
