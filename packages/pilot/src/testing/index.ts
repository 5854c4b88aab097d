export { type GeneratedTraffic, generateTraffic } from "./generate-traffic.ts";
export { readTrafficCases, TRAFFIC_CASES, type TrafficCase, type TrafficRequest } from "./traffic-case.ts";
