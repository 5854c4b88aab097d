/** What somebody chose in the graph or a table. */
export interface Selection {
  readonly kind: "workload" | "edge";
  readonly key: string;
}

export function isSame(a: Selection | null, b: Selection): boolean {
  return a !== null && a.kind === b.kind && a.key === b.key;
}

/** Attributes of an element that is chosen by click, Enter or the space bar. */
export function chooser(label: string, chosen: boolean, choose: () => void) {
  return {
    role: "button",
    tabIndex: 0,
    "aria-label": label,
    "aria-pressed": chosen,
    onClick: choose,
    onKeyDown: (event: { key: string; preventDefault(): void }) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      choose();
    },
  } as const;
}
