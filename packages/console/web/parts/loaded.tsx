import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useText } from "./settings.tsx";

interface Props<Page> {
  readonly answer: UseQueryResult<Page>;
  children(page: Page): ReactNode;
}

/** What is shown of an answer once there is one; above it why none comes, while the last one stays. */
export function Loaded<Page>({ answer: { data: page, error }, children }: Props<Page>) {
  const text = useText();
  return (
    <>
      <p className="notice" role="status" hidden={error === null}>
        {error === null ? "" : text("noAnswer", { reason: error.message })}
      </p>
      {page === undefined ? error === null && <p>{text("loading")}</p> : children(page)}
    </>
  );
}
