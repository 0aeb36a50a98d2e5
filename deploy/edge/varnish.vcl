# Varnish 7.1 with vmod_xkey (Debian: varnish, varnish-modules) in front of render-service.
# The one rule: what the service says of freshness holds; the edge only makes requests alike.
#
#   varnishd -a :80 -f …/deploy/edge/varnish.vcl -p vcl_path=…/deploy/edge -s malloc,4G
#
# Where the service is, and who may purge, stands in origin.vcl: the file of that name in vcl_path.
vcl 4.1;

import std;
import xkey;

include "origin.vcl";

sub vcl_recv {
    if (req.method == "PURGE" && client.ip !~ purgers) {
        return (synth(403, "Purging is for the addresses of the ACL."));
    }
    if (req.url ~ "^/metrics(\?|$)") {
        # For whoever watches the service from inside; it knows no other spelling of the address.
        return (synth(404, "There is nothing at this address."));
    }
    if (req.url ~ "^/(r|img|iiif)/") {
        # Pictures know no user: a cookie would only keep them out of the cache.
        unset req.http.Cookie;
        unset req.http.Authorization;
    }
    if (req.url ~ "^/r/") {
        # No query belongs to a picture; one that a mailing or an advertisement added is dropped.
        set req.url = regsub(req.url, "\?.*$", "");
        unset req.http.Accept;
    } elsif (req.url ~ "^/img/") {
        set req.url = std.querysort(req.url);
        call normalise_accept;
    }
    if (req.method == "PURGE") {
        call purge_tags;
        return (purge);
    }
    # Stale for up to the stale-while-revalidate of the alias and the manifests while the service
    # is well; for as long as an object has grace (its stale-if-error) while it is not.
    if (std.healthy(req.backend_hint)) {
        set req.grace = 600s;
    }
}

# Four classes of clients in place of hundreds of Accept headers, and only where the service
# negotiates. Degrees of preference are lost, but for q=0. AVIF and WebP go to who names them; who
# names both gets a WebP while the service is too busy to make the AVIF.
sub normalise_accept {
    if (req.url !~ "^[^?]*\.auto(\?|$)") {
        unset req.http.Accept;
    } elsif (req.http.Accept ~ "(?i)(^|,)\s*image/avif\s*(;(?!\s*q\s*=\s*0(\.0*)?\s*(,|;|$))[^,]*)?(,|$)") {
        if (req.http.Accept ~ "(?i)(^|,)\s*image/webp\s*(;(?!\s*q\s*=\s*0(\.0*)?\s*(,|;|$))[^,]*)?(,|$)") {
            set req.http.Accept = "image/avif,image/webp";
        } else {
            set req.http.Accept = "image/avif";
        }
    } elsif (req.http.Accept ~ "(?i)(^|,)\s*image/webp\s*(;(?!\s*q\s*=\s*0(\.0*)?\s*(,|;|$))[^,]*)?(,|$)") {
        set req.http.Accept = "image/webp";
    } else {
        set req.http.Accept = "*/*";
    }
}

# PURGE with `Surrogate-Key: view:solitaire-ring.hero` drops all pictures of a tag; with
# `Soft-Purge: 1` they are only made stale. Without a tag it drops the URL.
sub purge_tags {
    if (req.http.Surrogate-Key && req.http.Soft-Purge) {
        return (synth(200, "Made stale: " + xkey.softpurge(req.http.Surrogate-Key)));
    }
    if (req.http.Surrogate-Key) {
        return (synth(200, "Purged: " + xkey.purge(req.http.Surrogate-Key)));
    }
}

# No answer depends on the name the service was called by.
sub vcl_hash {
    hash_data(req.url);
    return (lookup);
}

sub vcl_backend_fetch {
    if (bereq.url ~ "^/img/") {
        # Nothing is drawn for an alias.
        set bereq.first_byte_timeout = 5s;
    }
}

sub vcl_backend_response {
    set beresp.http.xkey = beresp.http.Surrogate-Key;
    if (beresp.status >= 500) {
        # What is stale stays, when this was only to refresh it.
        if (bereq.is_bgfetch) {
            return (abandon);
        }
        # Not kept. The second lets all who waited ask at once instead of one after another.
        set beresp.uncacheable = true;
        set beresp.ttl = 1s;
        return (deliver);
    }
    # Varnish believes max-age for the statuses of RFC 2616 alone.
    if ((beresp.status == 308 || beresp.status == 400 || beresp.status == 422)
        && beresp.http.Cache-Control ~ "(^|[ ,])max-age=\d+") {
        set beresp.ttl = std.duration(
            regsub(beresp.http.Cache-Control, "^(?:.*[ ,])?max-age=(\d+).*$", "\1s"), 0s);
    }
    # Varnish reads stale-while-revalidate itself, but not this.
    if (beresp.http.Cache-Control ~ "(^|[ ,])stale-if-error=\d+") {
        set beresp.grace = std.duration(
            regsub(beresp.http.Cache-Control, "^(?:.*[ ,])?stale-if-error=(\d+).*$", "\1s"), 0s);
    }
    # Kept for a day past its time, to be revalidated by its ETag instead of fetched.
    if (beresp.http.ETag) {
        set beresp.keep = 24h;
    }
}

sub vcl_backend_error {
    if (bereq.is_bgfetch) {
        return (abandon);
    }
    set beresp.http.Content-Type = "application/problem+json";
    set beresp.http.Cache-Control = "no-store";
    set beresp.http.Retry-After = "5";
    set beresp.body = {"{"type":"/problems/service-unavailable","title":"Service Unavailable","}
        + {""detail":"The service does not answer.","status":"} + beresp.status + "}";
    return (deliver);
}

sub vcl_synth {
    set resp.http.Content-Type = "application/problem+json";
    set resp.http.Cache-Control = "no-store";
    set resp.body = {"{"type":"about:blank","title":""} + resp.reason + {"","status":"}
        + resp.status + "}";
    return (deliver);
}

sub vcl_deliver {
    unset resp.http.xkey;
    unset resp.http.X-Varnish;
    if (obj.uncacheable) {
        set resp.http.X-Cache = "PASS";
        set req.http.X-Found = "varnish; fwd=bypass";
    } elsif (obj.hits == 0) {
        set resp.http.X-Cache = "MISS";
        set req.http.X-Found = "varnish; fwd=miss; stored";
    } elsif (obj.ttl > 0s) {
        set resp.http.X-Cache = "HIT";
        set req.http.X-Found = "varnish; hit";
    } else {
        set resp.http.X-Cache = "STALE";
        set req.http.X-Found = "varnish; hit; detail=stale";
    }
    if (obj.hits > 0) {
        # It told of the render that filled the cache, not of this answer.
        unset resp.http.Server-Timing;
    }
    # RFC 9211: each cache adds itself behind the one nearer to the origin.
    if (resp.http.Cache-Status) {
        set resp.http.Cache-Status = resp.http.Cache-Status + ", " + req.http.X-Found;
    } else {
        set resp.http.Cache-Status = req.http.X-Found;
    }
}
