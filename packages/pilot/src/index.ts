export { type Fault, formatFault, formatFaults } from "./config/fault.ts";
export { type ValidationReport, validateFiles } from "./explain/validate-files.ts";
export type { TelemetryMode } from "./generators/generator-input.ts";
export type { RemoteKeys } from "./model/push-context.ts";
export { type Pilot, type PilotOptions, runPilot } from "./server/run-pilot.ts";
