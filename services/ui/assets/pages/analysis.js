/* What a panel of analysis does by itself, on whichever page it is. */
(() => {
    "use strict";

    const MOMENTS = ["start", "end"];
    const LEVELS = [0.01, 0.05, 0.1];
    const { texts, query, remember, complain, local, instant, address, written, zone, set, keep } =
        window.pairstream;

    /* A value of the address as the type of the one it stands for, undefined if it is none. */
    function read(text, usual, allowed) {
        if (text === undefined || text === "") return usual;
        if (allowed) return allowed.find((one) => one === text);
        if (typeof usual === "boolean") return { 0: false, 1: true }[text];
        const value = Number(text);
        return value > 0 && value < Infinity ? value : undefined;
    }

    /* What the address says of one control, or what is usual. */
    function control(panel, text, place) {
        const [name, usual] = [panel.names[place], panel.usual[place]];
        const allowed = panel.allowed[name];
        if (MOMENTS.includes(name)) {
            if (text && written(text) === null) complain(panel.prefix, text, texts.address.time);
            return local(written(text));
        }
        const value = read(text, usual, allowed);
        if (value !== undefined) return value;
        const expected = typeof usual === "boolean" ? ["0", "1"] : allowed;
        complain(panel.prefix, text, expected ? texts.address.oneOf(expected) : texts.address.number);
        return usual;
    }

    function write(value) {
        return typeof value === "boolean" ? (value ? "1" : "0") : String(value ?? "");
    }

    /* So many significant digits; whole numbers as they are. */
    function digits(value, count) {
        if (value === null || value === undefined) return "";
        const size = Math.abs(value);
        const text = Number.isInteger(value)
            ? String(value)
            : size < 1e-4
              ? value.toExponential(count - 1)
              : value.toFixed(Math.max(0, count - 1 - Math.floor(Math.log10(size))));
        return text.replaceAll("-", "\u2212");
    }

    /* A probability never looks like a level that it only comes near. */
    function probability(value) {
        let count = 3;
        while (
            count < 12 &&
            LEVELS.some((level) => level !== value && Number(digits(value, count)) === level)
        )
            count += 1;
        return digits(value, count);
    }

    window.dashAgGridFunctions = Object.assign(window.dashAgGridFunctions || {}, {
        pairstreamDigits: digits,
        pairstreamProbability: probability,
    });

    window.dash_clientside.analysis = {
        /* Read the controls from the address, or take what is usual. */
        route: (panel) => {
            const asked = (query().get(panel.prefix) || "").split(",");
            return panel.names.map((_, place) => control(panel, asked[place], place));
        },

        /* Write the controls into the address, and say what is to be asked; a null subject asks nothing. */
        asks: (subject, again, ...rest) => {
            const panel = rest.pop();
            if (!subject) return keep();
            const isMoment = (place) => MOMENTS.includes(panel.names[place]);
            const words = rest.map((value, place) =>
                write(isMoment(place) ? address(instant(value)) : value),
            );
            const same = words.join() === panel.usual.map(write).join();
            remember({ [panel.prefix]: same ? null : words.join(",") });
            const asks = Object.assign({}, subject, { zone: zone(), again: again });
            panel.names.forEach((name, place) => {
                const at = isMoment(place) ? instant(rest[place]) : null;
                if (!isMoment(place)) asks[name] = rest[place];
                else if (at !== null) asks[name] = at * 1000;
            });
            // From a moment on it is every bar.
            if (panel.names.includes("start")) set(`${panel.prefix}-bars`, { disabled: "start" in asks });
            return asks;
        },

        save: () => true,
    };
})();
