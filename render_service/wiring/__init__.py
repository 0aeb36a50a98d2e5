"""Settings → live objects: the only place where adapters meet ports.

A room for each of what a service does; whoever builds something asks for it here.
"""

from render_service.wiring.drawing import BYTES_A_PIXEL as BYTES_A_PIXEL
from render_service.wiring.drawing import CANVASES as CANVASES
from render_service.wiring.drawing import DEMO as DEMO
from render_service.wiring.drawing import PAGES as PAGES
from render_service.wiring.drawing import PENDING_SHARE as PENDING_SHARE
from render_service.wiring.drawing import Drawn as Drawn
from render_service.wiring.drawing import Studio as Studio
from render_service.wiring.drawing import build_limits as build_limits
from render_service.wiring.drawing import build_popularity as build_popularity
from render_service.wiring.drawing import build_service as build_service
from render_service.wiring.drawing import build_signer as build_signer
from render_service.wiring.drawing import catalogue_folder as catalogue_folder
from render_service.wiring.drawing import open_studio as open_studio
from render_service.wiring.drawing import read_studio as read_studio
from render_service.wiring.drawing import try_data_folder as try_data_folder
from render_service.wiring.selling import QUOTE_AUDIENCE as QUOTE_AUDIENCE
from render_service.wiring.selling import Selling as Selling
from render_service.wiring.selling import build_database as build_database
from render_service.wiring.selling import build_selling as build_selling
from render_service.wiring.selling import build_tokens as build_tokens
from render_service.wiring.selling import try_selling as try_selling
from render_service.wiring.storing import BUCKET as BUCKET
from render_service.wiring.storing import open_store as open_store
from render_service.wiring.uploading import QUARANTINE_PATH as QUARANTINE_PATH
from render_service.wiring.uploading import Uploading as Uploading
from render_service.wiring.uploading import build_checker as build_checker
from render_service.wiring.uploading import build_ingest as build_ingest
from render_service.wiring.uploading import build_photos as build_photos
from render_service.wiring.uploading import build_quarantine as build_quarantine
from render_service.wiring.uploading import build_uploading as build_uploading
from render_service.wiring.working import TIMES as TIMES
from render_service.wiring.working import build_doings as build_doings
from render_service.wiring.working import queue_url as queue_url
