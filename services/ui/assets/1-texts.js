/* Texts that the scripts show, all in English; those that Python shows stand beside its components. */
(() => {
    "use strict";

    const READING = "Reading\u2026";
    const LOADING = "Loading\u2026";

    window.pairstream = /** @type {any} */ ({
        texts: {
            reading: READING,
            loading: LOADING,
            /** @param {string} received */
            expectedTime: (received) => `Expected a time such as 2026-01-31 12:00, received ${received}`,
            offline: "The dashboard server does not answer. All numbers are the last known. Trying again.",
            /** @param {string} next the theme after a click: dark or light */
            switchTheme: (next) => `Switch to the ${next} theme`,
            address: {
                /** @type {(name: string, received: string, expected: string) => string} */
                wrong: (name, received, expected) =>
                    `The address has ${name}=${received}; expected ${expected}. The page goes on without it.`,
                /** @param {string[]} allowed */
                oneOf: (allowed) => `one of ${allowed.join(", ")}`,
                /** @param {string[]} allowed */
                someOf: (allowed) => `${allowed.join(", ")}, with commas between several`,
                time: "a time such as 2026-01-31T12:00Z",
                zone: "a time zone such as Asia/Tokyo",
                pair: "a watched pair, written Y-X, other than the one shown",
                number: "a number above 0",
                /** @type {(counts: string[], intervals: string[]) => string} */
                intervals: (counts, intervals) => `${counts.join(", ")} of ${intervals.join(", ")}`,
                levels: "SYMBOL:PRICE, with commas between several",
                sort: "with - before it for the largest first",
            },
            tour: {
                /** @type {(step: number, all: number) => string} */
                place: (step, all) => `${step} of ${all}`,
                next: "Next",
                done: "Done",
            },
            alerts: {
                /** @type {(by: string, time: string) => string} */
                acknowledged: (by, time) => `Acknowledged by ${by}, ${time}`,
                acknowledge: "Acknowledge",
                /** @param {string} pair */
                acknowledgeOf: (pair) => `Acknowledge the alert of ${pair}`,
                snooze: "Snooze\u2026",
                /** @param {string} pair */
                snoozeOf: (pair) => `Snooze ${pair}`,
                /** @param {string} time */
                snoozedUntil: (time) => `Snoozed until ${time}`,
                other: "Other\u2026",
                endSnooze: "End the snooze",
                deliveries: "Where?",
                /** @param {string} subject */
                deliveriesOf: (subject) => `Deliveries of the alert of ${subject}`,
                judge: "False?",
                isFalse: "False",
                /** @param {string} subject */
                judgeOf: (subject) => `Say whether the alert of ${subject} was a false alarm`,
            },
            datasets: {
                expectedTime: "Expected a time such as 2024-05-01 12:00",
            },
            market: {
                /** @param {string} change in per cent, with its sign */
                lastHour: (change) => `${change} in the last hour`,
                open: "still open",
                noLevels: "Levels",
                /** @param {number} count */
                levels: (count) => `Levels (${count})`,
                /** @type {(symbol: string, count: number) => string} */
                levelsOf: (symbol, count) => (count ? `Levels of ${symbol}` : `${symbol} has no levels`),
                /** @param {string} price */
                removeLevel: (price) => `Remove the level ${price}`,
                expectedPrice: "Expected a price above 0, such as 64000.5",
            },
            past: {
                nothing: "nothing",
                notBefore: "Expected a time before To",
                tooLong: "A chart of seconds has one day at most. Longer ranges: What-if, over bars.",
                /** @param {string} received */
                expectedAddress: (received) =>
                    `Expected past=2026-01-31T12:00Z..2026-01-31T13:00Z in the address, received ${received}`,
            },
            overview: {
                /** @type {(shown: number, all: number) => string} */
                count: (shown, all) =>
                    shown === all
                        ? `${all} pair${all === 1 ? "" : "s"}`
                        : `${shown} of ${all} pair${all === 1 ? "" : "s"}`,
                none: "No pair matches. Choose All, or clear the filter.",
                /** @param {string} pair */
                lineOf: (pair) => `z-score of ${pair} over the last 30 minutes`,
            },
            radar: {
                /** @param {string} pair */
                spreadOf: (pair) => `The spread of ${pair}`,
            },
            programs: { copy: "Copy", copied: "Copied", notCopied: "Not copied" },
            settings: {
                names: {
                    method: "method",
                    window: "window",
                    transform: "values",
                    intercept: "intercept",
                    min_samples: "samples needed",
                    entry_z: "entry |z|",
                    exit_z: "exit |z|",
                    stale_after_s: "stale after",
                    only_while_reverting: "alert only while reverting",
                },
                yes: "yes",
                no: "no",
                /** @type {(name: string, value: string, isMine: boolean) => string} */
                isNow: (name, value, isMine) =>
                    `${name} is now ${value}${isMine ? " (yours is kept here, not saved)" : ""}`,
                /** @param {string[]} changes */
                changedElsewhere: (changes) => `Changed elsewhere: ${changes.join("; ")}.`,
                /** @param {string[]} names */
                notSaved: (names) => `Not saved yet: ${names.join(", ")}`,
                taken: "Taken from the what-if, not saved yet.",
                /** @type {(bars: number, interval: string, samples: number) => string} */
                windowInSamples: (bars, interval, samples) =>
                    ` Its window of ${bars} bars of ${interval} is ${samples} samples of 1 s here.`,
            },
            upload: {
                /** @param {string} files */
                previewing: (files) => `Reading the beginning of ${files}\u2026`,
                /** @param {number} count */
                files: (count) => `${count} files`,
                /** @param {string} all */
                storing: (all) => `All ${all} sent. Checking and storing them\u2026`,
                /** @type {(sent: string, all: string) => string} */
                sent: (sent, all) => `Sent ${sent} of ${all}`,
                /** @param {string} files */
                cancelled: (files) => `Cancelled: nothing was stored. ${files} can be uploaded again.`,
                copied: "Copied",
                marked: "Selected: press Ctrl+C to copy",
            },
        },
    });
})();
