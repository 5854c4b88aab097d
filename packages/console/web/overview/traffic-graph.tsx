import { Fragment, useMemo } from "react";
import type { TrafficPage } from "../../src/api.ts";
import { healthOf } from "../parts/health.ts";
import { milliseconds, rate, share } from "../parts/numbers.ts";
import { useText } from "../parts/settings.tsx";
import { layoutOf, NODE, type PlacedEdge, type PlacedNode } from "./graph-layout.ts";
import { chooser, isSame, type Selection } from "./selection.ts";

interface Props {
  readonly page: TrafficPage;
  readonly selection: Selection | null;
  onSelect(selection: Selection): void;
}

/** Who calls whom, left to right. */
export function TrafficGraph({ page, selection, onSelect }: Props) {
  const text = useText();
  const layout = useMemo(() => layoutOf(page), [page]);
  const { width, height, nodes, edges } = layout;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a drawing with things to choose in it has no element of its own.
    <svg
      className="graph"
      viewBox={`0 0 ${width} ${height}`}
      style={{ maxWidth: width * 1.25 }}
      role="group"
      aria-label={text("graphHelp")}
    >
      <defs>
        {["healthy", "degraded", "failing", "idle", "tcpOnly"].map((health) => (
          <marker
            key={health}
            id={`arrow-${health}`}
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto"
          >
            <path className={`arrow ${health}`} d="M0 0L8 4L0 8z" />
          </marker>
        ))}
      </defs>
      {edges.map((placed) => {
        const choice = { kind: "edge", key: placed.key } as const;
        return (
          <EdgeShape
            key={placed.key}
            placed={placed}
            chosen={isSame(selection, choice)}
            choose={() => onSelect(choice)}
          />
        );
      })}
      {nodes.map((placed) => {
        const choice = { kind: "workload", key: placed.key } as const;
        return (
          <NodeShape
            key={placed.key}
            placed={placed}
            chosen={isSame(selection, choice)}
            choose={() => onSelect(choice)}
          />
        );
      })}
    </svg>
  );
}

/** A padlock of 10 by 12. */
const LOCK = "M1 5h8v7H1zM3 5V3.5a2 2 0 0 1 4 0V5";

interface Choosable {
  readonly chosen: boolean;
  choose(): void;
}

function EdgeShape({ placed, chosen, choose }: Choosable & { readonly placed: PlacedEdge }) {
  const text = useText();
  const { edge, points, x, y } = placed;
  const health = healthOf(edge);
  const failed = edge.success !== null && edge.success < 1 ? share(1 - edge.success) : null;
  const lines = edge.requests > 0 ? [`${rate(edge.rps)}/s`, failed ?? milliseconds(edge.p90)] : [text(health)];
  const isSecured = edge.mutualTls !== null && edge.mutualTls > 0;
  const label = `${edge.source.name} → ${edge.destination.name}: ${lines.join(" ")}, ${text(health)}${isSecured ? `, ${text("mutualTls")}` : ""}`;
  return (
    <g className={`edge ${health}${chosen ? " chosen" : ""}`} {...chooser(label, chosen, choose)}>
      <path className="reach" d={curve(points)} />
      <path className="line" d={curve(points)} markerEnd={`url(#arrow-${health})`} />
      <g transform={`translate(${x} ${y})`}>
        <rect className="label" x={-48} y={-9 * lines.length - 1} width={96} height={18 * lines.length + 2} rx={6} />
        <text>
          {lines.map((line, index) => (
            <Fragment key={line}>
              <tspan x={0} y={(index - (lines.length - 1) / 2) * 16 + 4}>
                {line}
              </tspan>{" "}
            </Fragment>
          ))}
        </text>
        {isSecured && <path className="lock" d={LOCK} transform="translate(-42 -6)" />}
      </g>
    </g>
  );
}

function NodeShape({ placed, chosen, choose }: Choosable & { readonly placed: PlacedNode }) {
  const text = useText();
  const { name, workload, x, y } = placed;
  const health = workload === null ? "idle" : healthOf(workload);
  const kind = workload?.gateway ? text("gateway") : workload?.connected ? name.namespace : text("notConnected");
  return (
    <g
      className={`node ${health}${chosen ? " chosen" : ""}${workload?.connected ? "" : " outside"}`}
      transform={`translate(${x - NODE.width / 2} ${y - NODE.height / 2})`}
      {...chooser(`${name.name} ${kind}, ${text(health)}`, chosen, choose)}
    >
      <rect width={NODE.width} height={NODE.height} rx={workload?.gateway ? 26 : 10} />
      <circle cx={16} cy={18} r={5} />
      <text>
        <tspan className="name" x={28} y={22}>
          {shortened(name.name)}
        </tspan>{" "}
        <tspan className="kind" x={28} y={40}>
          {kind}
        </tspan>
      </text>
      <title>{`${name.name}.${name.namespace}`}</title>
    </g>
  );
}

/** As many letters as a box is wide. */
function shortened(name: string): string {
  return name.length <= 22 ? name : `${name.slice(0, 21)}…`;
}

function curve(points: PlacedEdge["points"]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  const parts = [`M${first.x} ${first.y}`];
  for (let i = 0; i + 1 < rest.length; i++) {
    const at = rest[i];
    const next = rest[i + 1];
    if (at === undefined || next === undefined) continue;
    const end = i + 2 === rest.length ? next : { x: (at.x + next.x) / 2, y: (at.y + next.y) / 2 };
    parts.push(`Q${at.x} ${at.y} ${end.x} ${end.y}`);
  }
  if (rest.length === 1 && rest[0] !== undefined) parts.push(`L${rest[0].x} ${rest[0].y}`);
  return parts.join("");
}
