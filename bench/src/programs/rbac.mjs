// Decides requests by a thousand policies that name ten thousand callers between them, as the control plane writes
// them; prints what one decision takes. No request around it: reading one's facts is in the other rows.
import { compileRuleSet } from "@mixerless/policy";
import { decodeJson } from "@mixerless/wire";
import { RBACSchema } from "@mixerless/wire/envoy/config/rbac/v3/rbac";

const POLICIES = 1000;
const CALLERS = 10;
const [decisions = 200_000, rounds = 9] = process.argv.slice(2).map(Number);

const caller = (number) => `spiffe://cluster.local/ns/team-${number % 100}/sa/caller-${number}`;
const any = (rules) => ({ orRules: { rules } });

function policy(place) {
  const methods = ["GET", "HEAD"].map((exact) => ({ header: { name: ":method", stringMatch: { exact } } }));
  const paths = [{ urlPath: { path: { prefix: `/service-${place}/` } } }];
  const ids = Array.from({ length: CALLERS }, (_, i) => ({
    authenticated: { principalName: { exact: caller(place * CALLERS + i) } },
  }));
  return {
    permissions: [{ andRules: { rules: [any(methods), any(paths)] } }],
    principals: [{ andIds: { ids: [{ orIds: { ids } }] } }],
  };
}

const policies = Object.fromEntries(
  Array.from({ length: POLICIES }, (_, place) => [`ns[default]-policy[service-${place}]-rule[0]`, policy(place)]),
);
const faults = [];
const { message } = decodeJson(RBACSchema, { action: "ALLOW", policies });
const rules = compileRuleSet(message, "rules", { headerKey: (name) => name, faults });
if (faults.length > 0) throw new Error(JSON.stringify(faults));

/** Of four requests two are allowed, one has another's path and one a caller whom nobody named. */
function request(number) {
  const of = (number * 7919) % (POLICIES * CALLERS);
  const service = Math.floor(of / CALLERS) + (number % 4 === 2 ? 1 : 0);
  const method = ["GET"];
  return {
    headers: (name) => (name === ":method" ? method : []),
    path: `/service-${service}/item`,
    destinationIp: "10.0.0.2",
    destinationPort: 8080,
    directRemoteIp: "10.0.0.1",
    remoteIp: "10.0.0.1",
    requestedServerName: "",
    peer: { uriSans: [caller(number % 4 === 3 ? of + POLICIES * CALLERS : of)], dnsSans: [], subject: "" },
    metadata: () => undefined,
  };
}

const requests = Array.from({ length: POLICIES * CALLERS }, (_, number) => request(number));
const times = new Float64Array(decisions);

/** Microseconds of the decision at each share of a round, the reading of the clock among them. */
function round() {
  let allowed = 0;
  for (let i = 0; i < decisions; i++) {
    const facts = requests[i % requests.length];
    const before = performance.now();
    const decision = rules.decide(facts);
    times[i] = (performance.now() - before) * 1000;
    if (decision.allowed) allowed++;
  }
  if (allowed * 2 !== decisions) throw new Error(`${allowed} of ${decisions} were allowed, and half should be`);
  times.sort();
  return { p50: times[decisions >> 1], p99: times[Math.floor(decisions * 0.99)] };
}

round();
const found = Array.from({ length: rounds }, round);
const middle = (name) => found.map((one) => one[name]).sort((a, b) => a - b)[rounds >> 1];
console.log(JSON.stringify({ decision_p50_us: middle("p50"), decision_p99_us: middle("p99") }));
