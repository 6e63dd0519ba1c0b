/* Cells of the table of symbols, and the choices of a field for symbols. */
(() => {
    "use strict";

    const { texts } = window.pairstream;

    window.dashAgGridComponentFunctions ??= {};
    const components = window.dashAgGridComponentFunctions;

    /* The closes of the last hour, from low to high. */
    components.MarketHour = (cell) => {
        const { heights, text } = cell.data;
        if (!heights?.length) return "";
        const points = heights
            .map((height, minute) => (height === null ? null : `${minute},${100 - height}`))
            .filter((point) => point !== null)
            .join(" ");
        return React.createElement(
            "svg",
            {
                className: `hour${cell.value < 0 ? " down" : " up"}`,
                role: "img",
                viewBox: "0 -6 60 112",
                preserveAspectRatio: "none",
                "aria-label": texts.market.lastHour(text.hour),
            },
            React.createElement("polyline", { points: points, vectorEffect: "non-scaling-stroke" }),
        );
    };

    /* Offer what the API has found, in its order, whatever it is called. */
    window.dashMantineFunctions = Object.assign(window.dashMantineFunctions || {}, {
        asAnswered: ({ options, limit }) => options.slice(0, limit),
    });
})();
