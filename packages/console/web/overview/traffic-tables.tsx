import type { TrafficPage } from "../../src/api.ts";
import { useText } from "../parts/settings.tsx";
import { Table } from "../parts/table.tsx";
import { edgeKeyOf, keyOf } from "./graph-layout.ts";
import type { Selection } from "./selection.ts";
import { SIGNAL_COLUMNS, SignalsCells } from "./signals-cells.tsx";

interface Props {
  readonly page: TrafficPage;
  onSelect(selection: Selection): void;
}

export function WorkloadTable({ page, onSelect }: Props) {
  const text = useText();
  const columns = [text("workload"), text("namespace"), ...SIGNAL_COLUMNS.map((key) => text(key))];
  return (
    <Table label={text("workloads")} columns={columns}>
      {page.workloads.map((workload) => (
        <tr key={keyOf(workload)}>
          <th scope="row">
            <button type="button" className="link" onClick={() => onSelect({ kind: "workload", key: keyOf(workload) })}>
              {workload.name}
            </button>
          </th>
          <td>{workload.namespace}</td>
          <SignalsCells signals={workload} />
        </tr>
      ))}
    </Table>
  );
}

export function EdgeTable({ page, onSelect }: Props) {
  const text = useText();
  const columns = [text("source"), text("destination"), text("service"), ...SIGNAL_COLUMNS.map((key) => text(key))];
  return (
    <Table label={text("edges")} columns={columns}>
      {page.edges.map((edge) => (
        <tr key={edgeKeyOf(edge)}>
          <th scope="row">
            <button type="button" className="link" onClick={() => onSelect({ kind: "edge", key: edgeKeyOf(edge) })}>
              {edge.source.name}
            </button>
          </th>
          <td>{edge.destination.name}</td>
          <td>{edge.service}</td>
          <SignalsCells signals={edge} />
        </tr>
      ))}
    </Table>
  );
}
