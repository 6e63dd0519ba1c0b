/** Globals of the scripts in assets/: what our files share, and what Dash and its components give to a page. */

interface Pairstream {
    /** Constants of the server: widths of intervals, charts, panes, the table of all pairs. */
    constants: any;
    /** Texts of 1-texts.js. */
    texts: any;
    number(value: number | string, digits: number): string;
    moment(ms: number | null | undefined, part?: "day" | "minute" | "second"): string;
    local(ms: number | null): string;
    instant(text: string | null | undefined): number | null;
    address(ms: number | null): string | null;
    written(text: string | null | undefined): number | null;
    zone(): string;
    isZone(name: string | null): boolean;
    setZone(name: string): boolean;
    /** A component as Dash holds it, null if it is not on the page. */
    held(id: string): { props: any } | null;
    props(id: string): any;
    set(id: string, props: object): void;
    keep(): any;
    query(): URLSearchParams;
    remember(entries: Record<string, unknown>): void;
    /** Takes back what was said of the address of another page. */
    review(): void;
    complain(name: string, value: string, expected: string): void;
    oneOf(name: string, allowed: string[], otherwise: string): string;
    someOf(name: string, allowed: string[]): string[];
    time(name: string): number | null;
    look(asks: object): void;
    tell(news: object): void;
    looking(): any;
    /** Whether the rows of a grid are in the order of a column as their numbers are now. */
    inOrder(api: any, column: { colId: string; sort: string }): boolean;
    markRow(table: string, id: string | null): void;
    BatchedElement(props: any): any;
    BatchedRows(props: any): any;
}

interface Window {
    pairstream: Pairstream;
    React: any;
    SharedWorker: any;
    dash_ag_grid: any;
    dash_clientside: any;
    dash_component_api: any;
    dashAgGridComponentFunctions: any;
    dashAgGridFunctions: any;
    dashMantineFunctions: any;
    dashTvlwcFunctions: any;
}

declare const React: any;
