export { Collector, type CollectorOptions, type Target, type TargetState } from "./collector.ts";
export {
  addTraffic,
  type Edge,
  type EdgeEnds,
  type Edges,
  edgeKey,
  growth,
  isReporter,
  latency,
  nothing,
  oneReporter,
  readEdges,
  type Traffic,
} from "./edges.ts";
export { type EdgeInWindow, TrafficWindow, type WindowAnswer, type WindowLimits } from "./traffic-window.ts";
