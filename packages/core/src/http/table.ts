import { markup, type Html } from './html.js';

/** The page's tables: every one has a caption, headed columns and headed rows, and scrolls alone. */
export interface Column<T> {
  readonly head: string;
  readonly cell: (row: T) => Html | string;
  readonly kind?: 'name' | 'share';
}

/** The first column names the row. `hidden`: the caption is for those who listen. */
export function table<T>(
  caption: string,
  columns: readonly Column<T>[],
  rows: readonly T[],
  hidden = false,
): Html {
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
    <table>
      <caption class="${hidden && 'heard'}">
        ${caption}
      </caption>
      <thead>
        <tr>
          ${columns.map(
            ({ head, kind }) => markup`<th scope="col" class="${kind ?? ''}">${head}</th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            markup`<tr>
              ${columns.map(({ cell, kind }, i) =>
                i === 0
                  ? markup`<th scope="row" class="${kind ?? ''}">${cell(row)}</th>`
                  : markup`<td class="${kind ?? ''}">${cell(row)}</td>`,
              )}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
