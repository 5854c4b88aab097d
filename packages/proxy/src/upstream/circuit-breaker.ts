/** Limits of one cluster and priority, as `circuit_breakers.thresholds` [control-plane §7.5]. */
export interface CircuitBreakerLimits {
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
  /** Retries allowed as a share of requests in flight; replaces `maxRetries` when present. */
  readonly retryBudget: { readonly percent: number; readonly minimum: number } | null;
}

/** Envoy's defaults. Istio's control plane always sends its own. */
export const DEFAULT_LIMITS: CircuitBreakerLimits = {
  maxConnections: 1024,
  maxPendingRequests: 1024,
  maxRequests: 1024,
  maxRetries: 3,
  retryBudget: null,
};

/** What is in use of each limited resource. A change of the limits touches nothing that is in flight. */
export class CircuitBreaker {
  limits: CircuitBreakerLimits;
  connections = 0;
  pending = 0;
  requests = 0;
  retries = 0;

  constructor(limits: CircuitBreakerLimits) {
    this.limits = limits;
  }

  get canConnect(): boolean {
    return this.connections < this.limits.maxConnections;
  }
  get canWait(): boolean {
    return this.pending < this.limits.maxPendingRequests;
  }
  get canRequest(): boolean {
    return this.requests < this.limits.maxRequests;
  }
  get canRetry(): boolean {
    const budget = this.limits.retryBudget;
    if (budget === null) return this.retries < this.limits.maxRetries;
    const allowed = Math.max(budget.minimum, Math.floor((budget.percent / 100) * (this.requests + this.pending)));
    return this.retries < allowed;
  }
}
