/* Opens the work of a second by a click on the chart of a pair. */
(() => {
    "use strict";

    const { keep } = window.pairstream;

    window.dash_clientside.pairs_work = {
        open: (click, pair, zone) => {
            const isPoint =
                click && typeof click.time === "number" && Object.keys(click.seriesData || {}).length;
            if (!isPoint || !pair) return [keep(), keep()];
            return [{ pair: pair, second: click.time, zone: zone, asked: Date.now() }, true];
        },
    };
})();
