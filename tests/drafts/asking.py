"""A designer's requests, in a few words."""


def begin(client, **asked):
    """Begin a draft of the ring that is live; return it whole, with its ETag."""
    answer = client.post("/v1/drafts", json={"composition": "ring", **asked})
    assert answer.status_code == 201, answer.text
    return read(client, answer.json()["id"])


def read(client, draft):
    answer = client.get(f"/v1/drafts/{draft}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def address(draft, *parts):
    return "/".join(["/v1/drafts", draft["id"], *map(str, parts)])


def etag(draft):
    return {"if-match": f'"{draft["revision"]}"'}


def put(client, draft, *parts, **body):
    """Write a part of the revision that is known."""
    return client.put(address(draft, *parts), headers=etag(draft), **body)


def drop(client, draft, *parts):
    return client.delete(address(draft, *parts), headers=etag(draft))
