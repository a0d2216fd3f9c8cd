"""What only etcd itself can be asked for."""

import aiohttp

IN_USE = "etcd_mvcc_db_total_size_in_use_in_bytes "


async def compact(url: str) -> None:
    """Forget all versions but the present one: whoever watches from an older one is told 410."""
    async with aiohttp.ClientSession(f"{url}/v3/kv/", raise_for_status=True) as etcd:
        async with etcd.post("range", json={"key": "AA=="}) as answer:
            revision = (await answer.json(content_type=None))["header"]["revision"]
        async with etcd.post("compaction", json={"revision": revision, "physical": True}):
            pass


async def size(url: str) -> float:
    """MiB that its database needs, without what is free inside it."""
    async with aiohttp.ClientSession(raise_for_status=True) as etcd, etcd.get(f"{url}/metrics") as answer:
        line = next(one for one in (await answer.text()).splitlines() if one.startswith(IN_USE))
    return float(line.split()[-1]) / 2**20
