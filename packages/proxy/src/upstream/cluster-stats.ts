/** Totals of one cluster under Envoy's names. Plain numbers: a request must not pay for a label look-up. */
export interface ClusterStats {
  upstream_cx_total: number;
  upstream_cx_active: number;
  upstream_cx_connect_fail: number;
  upstream_cx_connect_timeout: number;
  upstream_cx_overflow: number;
  upstream_cx_idle_timeout: number;
  upstream_cx_max_requests: number;
  upstream_cx_max_duration_reached: number;
  upstream_cx_none_healthy: number;
  upstream_rq_total: number;
  upstream_rq_active: number;
  upstream_rq_pending_total: number;
  upstream_rq_pending_active: number;
  upstream_rq_pending_overflow: number;
  upstream_rq_pending_failure_eject: number;
  upstream_rq_cancelled: number;
  upstream_rq_retry_overflow: number;
  membership_change: number;
  update_success: number;
  update_failure: number;
  outlier_detection_ejections_enforced_total: number;
  outlier_detection_ejections_overflow: number;
}

export function createClusterStats(): ClusterStats {
  return {
    upstream_cx_total: 0,
    upstream_cx_active: 0,
    upstream_cx_connect_fail: 0,
    upstream_cx_connect_timeout: 0,
    upstream_cx_overflow: 0,
    upstream_cx_idle_timeout: 0,
    upstream_cx_max_requests: 0,
    upstream_cx_max_duration_reached: 0,
    upstream_cx_none_healthy: 0,
    upstream_rq_total: 0,
    upstream_rq_active: 0,
    upstream_rq_pending_total: 0,
    upstream_rq_pending_active: 0,
    upstream_rq_pending_overflow: 0,
    upstream_rq_pending_failure_eject: 0,
    upstream_rq_cancelled: 0,
    upstream_rq_retry_overflow: 0,
    membership_change: 0,
    update_success: 0,
    update_failure: 0,
    outlier_detection_ejections_enforced_total: 0,
    outlier_detection_ejections_overflow: 0,
  };
}
