/* What the page of rules does by itself: a rule is tried once its writer has paused. */
(() => {
    "use strict";

    const PAUSE_MS = 400;
    const { set, keep } = window.pairstream;
    let waiting = 0;

    window.dash_clientside.rules = {
        /* Have the rule in the form tried, and what is wrong with it said at its fields. */
        ask: (stored, ...values) => {
            window.clearTimeout(waiting);
            waiting = window.setTimeout(() => {
                if (document.getElementById("page-rules"))
                    set("rule-asks", {
                        data: { stored: stored || null, values: values.map((one) => one ?? "") },
                    });
            }, PAUSE_MS);
            return keep();
        },
    };
})();
