import { type UseQueryResult, useQuery } from "@tanstack/react-query";

/** Milliseconds; as often as the server looks at the proxies. */
const INTERVAL = 5000;

/** One of the server's answers, asked for again and again while the page is seen. The last one stays when none comes. */
export function usePage<Page>(path: string): UseQueryResult<Page> {
  return useQuery({
    queryKey: [path],
    queryFn: () => fetchPage<Page>(path),
    refetchInterval: INTERVAL,
    placeholderData: (before) => before,
  });
}

async function fetchPage<Page>(path: string): Promise<Page> {
  const response = await fetch(`.${path}`);
  const answer = (await response.json()) as Page & { error?: string };
  if (!response.ok) throw new Error(answer.error ?? `${response.status} ${response.statusText}`);
  return answer;
}
