"""The OpenAPI document says what the routes do."""

import pytest

PRODUCT = "/v1/products/{product}"
STORED = ("400", "401", "403", "502", "503")
COMPOSITION = "/v1/compositions/{composition}"
JOB = "/v1/jobs/{job}"
WEBHOOK = "/v1/webhooks/{webhook}"
DRAFT = {"400", "401", "403", "409", "503"}
WRITTEN = {*DRAFT, "404", "412", "428"}


@pytest.fixture(scope="module")
def schema(client):
    return client.get("/schema").json()


def statuses(schema, path, method="get"):
    return set(schema["paths"][path][method]["responses"])


@pytest.mark.parametrize(
    ("path", "method", "said"),
    [
        ("/v1/compositions", "get", {"200", "304", "400"}),
        (COMPOSITION, "get", {"200", "304", "400", "404"}),
        (f"{COMPOSITION}/resolve", "post", {"200", "400", "404", "413", "415", "422"}),
        (f"{COMPOSITION}/explain", "get", {"200", "400", "404", "422"}),
        ("/v1/products", "get", {"200", "304", "400", "401", "403", "503"}),
        ("/v1/products", "post", {"201", "409", "413", "415", "422", *STORED} - {"502"}),
        (PRODUCT, "get", {"200", "304", "400", "404", "502", "503"}),
        (PRODUCT, "put", {"200", "201", "412", "413", "415", "422", "428", *STORED}),
        (PRODUCT, "patch", {"200", "404", "412", "413", "415", "422", "428", *STORED}),
        (PRODUCT, "delete", {"204", "404", "412", "428", *STORED}),
        (f"{PRODUCT}/document", "get", {"200", "404", *STORED}),
        (
            "/v1/products/imports",
            "post",
            {"202", "409", "413", "415", "422", *STORED} - {"502"},
        ),
        (
            "/v1/products/imports/{job}/report",
            "get",
            {"200", "404", *STORED} - {"502"},
        ),
        ("/v1/products/export", "get", {"200", *STORED} - {"502"}),
        ("/v1/rates", "get", {"200", *STORED} - {"502"}),
        ("/v1/rates", "put", {"200", "409", "412", "413", "415", "428", *STORED} - {"502"}),
        ("/v1/quotes", "post", {"200", "400", "404", "409", "413", "415", "422", "502", "503"}),
        ("/v1/quotes/verify", "post", {"200", "400", "410", "413", "415", "422"}),
        ("/v1/drafts", "post", {"201", *DRAFT, "404", "413", "415", "422", "502"}),
        ("/v1/drafts/{draft}", "get", {"200", *DRAFT, "404"}),
        ("/v1/drafts/{draft}", "put", {"200", *WRITTEN, "413", "415", "422"}),
        ("/v1/drafts/{draft}", "delete", {"204", *WRITTEN}),
        ("/v1/drafts/{draft}/layers/{view}/{number}", "put", {"200", *WRITTEN, "413", "415"}),
        ("/v1/drafts/{draft}/check", "post", {"200", *DRAFT, "404", "502"}),
        (
            "/v1/drafts/{draft}/publish",
            "post",
            {"200", "202", *WRITTEN, "413", "415", "422", "502"},
        ),
        ("/v1/releases/{release}/restore", "post", {"200", *WRITTEN, "502"}),
        ("/v1/activity", "get", {"200", *DRAFT, "502"}),
        (
            f"{COMPOSITION}/warm",
            "post",
            {"202", "400", "401", "403", "404", "413", "415", "503"},
        ),
        ("/v1/jobs", "get", {"200", "400", "401", "403", "503"}),
        (JOB, "get", {"200", "400", "401", "403", "404", "503"}),
        (f"{JOB}/events", "get", {"200", "400", "401", "403", "404", "503"}),
        (f"{JOB}/cancel", "post", {"200", "400", "401", "403", "404", "409", "503"}),
        (f"{JOB}/retry", "post", {"200", "400", "401", "403", "404", "409", "503"}),
        ("/v1/webhooks", "get", {"200", "400", "401", "403", "503"}),
        ("/v1/webhooks", "post", {"201", "400", "401", "403", "413", "415", "503"}),
        (WEBHOOK, "put", {"200", *WRITTEN, "413", "415"} - {"409"}),
        (WEBHOOK, "delete", {"204", *WRITTEN} - {"409"}),
        (f"{WEBHOOK}/deliveries", "get", {"200", "400", "401", "403", "404", "503"}),
        ("/v1/assets/uploads", "post", {"201", "400", "401", "403", "413", "415", "429", "503"}),
        (
            "/v1/assets/uploads/{upload}/complete",
            "post",
            {"202", "400", "401", "403", "404", "409", "410", "503"},
        ),
        ("/v1/assets/uploads/{upload}", "get", {"200", "400", "401", "403", "404", "503"}),
        ("/v1/assets/{sha256}", "get", {"200", "400", "401", "403", "404", "503"}),
        ("/livez", "get", {"200"}),
        ("/readyz", "get", {"200", "503"}),
    ],
)
def test_each_route_has_the_statuses_it_can_answer(schema, path, method, said):
    assert statuses(schema, path, method) == said


def test_every_error_but_that_of_readiness_is_a_problem_document(schema):
    for path, item in schema["paths"].items():
        for operation in item.values():
            for status, answer in operation["responses"].items():
                if status[0] == "4" or (status == "503" and path != "/readyz"):
                    assert list(answer["content"]) == ["application/problem+json"], path


def test_what_resolve_takes_has_no_other_fields(schema):
    body = schema["paths"][f"{COMPOSITION}/resolve"]["post"]["requestBody"]
    assert body["content"]["application/json"]["schema"]["$ref"].endswith("/ResolveIn")
    assert schema["components"]["schemas"]["ResolveIn"]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("path", "shape"), [("/v1/quotes", "QuoteIn"), ("/v1/quotes/verify", "VerifyIn")]
)
def test_what_a_quote_is_asked_with_has_no_other_fields(schema, path, shape):
    body = schema["paths"][path]["post"]["requestBody"]
    assert body["content"]["application/json"]["schema"]["$ref"].endswith(f"/{shape}")
    assert schema["components"]["schemas"][shape]["additionalProperties"] is False


def test_a_list_of_products_says_what_it_takes(schema):
    parameters = schema["paths"]["/v1/products"]["get"]["parameters"]
    by_name = {parameter["name"]: parameter["schema"] for parameter in parameters}
    keys = {"q", "composition", "limit", "sort", "cursor", "language", "status"}
    assert set(by_name) == keys | {"attributes", "facets", "Consistency-Token"}
    assert by_name["limit"]["maximum"] == 100
    assert set(by_name["sort"]["enum"]) == {"-updated", "title", "relevance"}


def test_explain_takes_any_option_as_a_key_of_its_own(schema):
    parameters = schema["paths"][f"{COMPOSITION}/explain"]["get"]["parameters"]
    by_name = {parameter["name"]: parameter for parameter in parameters}
    assert set(by_name) == {"composition", "view", "region", "width", "format", "selection"}
    options = by_name["selection"]
    assert (options["style"], options["explode"]) == ("form", True)
    assert options["schema"]["additionalProperties"] == {"type": "string"}


def test_every_reference_leads_somewhere(schema):
    def references(node):
        if isinstance(node, dict):
            yield from [node["$ref"]] if "$ref" in node else []
            node = list(node.values())
        if isinstance(node, list):
            for item in node:
                yield from references(item)

    found = {reference.removeprefix("#/components/schemas/") for reference in references(schema)}
    assert found
    assert found <= set(schema["components"]["schemas"])


@pytest.mark.parametrize("path", ["/schema/x", "/schema/x/y"])
def test_beside_the_document_there_is_nothing(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
