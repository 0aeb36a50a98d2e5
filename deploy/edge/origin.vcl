# Where the service is, and who may purge. Included by varnish.vcl; replace it by a file of the same
# name in a folder that stands earlier in vcl_path.

probe ready {
    # 503 once the service was asked to stop: no new fetch is sent to it.
    .url = "/readyz";
    .interval = 1s;
    .timeout = 1s;
    .window = 3;
    .threshold = 2;
    .initial = 2;
}

backend origin {
    .host = "127.0.0.1";
    .port = "8000";
    .probe = ready;
    .connect_timeout = 1s;
    # A cold picture of the largest size may wait in the queue before it is drawn.
    .first_byte_timeout = 30s;
    .between_bytes_timeout = 10s;
}

# By the address of the connection. Behind a TLS terminator on this machine every client has a
# loopback address, unless the terminator speaks the PROXY protocol (varnishd -a …,PROXY).
acl purgers {
    "127.0.0.1";
    "::1";
}
