"""Every failure the service can name, as one tree; nothing here knows HTTP.

RenderServiceError
├── InvalidRequest                the caller's spelling is wrong, whatever the catalogue holds
│   ├── MalformedPath
│   ├── WidthNotOffered
│   ├── FormatNotOffered
│   ├── UnknownQueryKey
│   ├── InvalidBody
│   ├── DraftTooLarge
│   └── InvalidForm
├── NotFound                      well spelled, but the catalogue has no such thing
│   ├── UnknownComposition
│   ├── UnknownView
│   ├── UnknownVersion
│   ├── UnknownState
│   ├── UnknownIdentifier
│   ├── UnknownProduct
│   ├── UnknownDraft
│   ├── UnknownPreview
│   ├── UnknownPart
│   ├── UnknownSku
│   ├── UnknownUpload
│   ├── UnknownPhoto
│   ├── UnknownAsset
│   ├── UnknownJob
│   ├── UnknownWebhook
│   └── UnknownDelivery
├── NotAllowed                    not for everybody
│   ├── SignatureNeeded
│   ├── BadSignature
│   ├── ExpiredSignature
│   └── UploadForbidden
├── NotSignedIn                   nobody knows who calls
├── ScopeMissing                  who calls may not do this
├── InvalidSelection              the composition cannot be configured that way
│   ├── UnknownOption
│   ├── UnknownValue
│   ├── ForbiddenConfiguration
│   ├── AlphaNotOffered
│   └── SizeNotOffered
├── InvalidProduct                a product is not described soundly; carries every fault found
├── ProductUnreadable             a product that is kept is of another release's shape
├── InvalidImport                 files of products or rates are broken; carries every fault found
├── NotPriced                     the rates do not give a price
│   ├── RateMissing
│   ├── RateInOtherCurrency
│   └── RatesOverlap
├── QuoteRefused                  a quote is not honoured, or cannot be given
│   ├── BadQuote
│   ├── ExpiredQuote
│   └── QuoteTooLarge
├── JobOver                       a job that is over cannot be cancelled
├── JobNotParked                  a job that is under way or done cannot be retried
├── QueueUnavailable              the queue of jobs cannot be told of them
├── ChildFailed                   work in a process of its own came to no end of its own
├── AttemptOver                   an attempt at a job may do no more
│   ├── Superseded
│   └── JobCancelled
├── WebhookMoved                  somebody else changed the endpoint first
├── DeliveryFailed                an endpoint did not take what it was told
├── DraftMoved                    somebody else changed the draft first
├── InvalidDraft                  a draft has faults; carries those found
├── AssetNotStored                a digest of a layer file that was never uploaded
├── BaseMoved                     the composition was published since the draft began
├── OtherPipelineLive             what is live was published by another program
├── NothingIsPublishedHere        drafts need a database and a store of releases
├── WriteRefused                  a change stands on something that is not so
│   ├── PreconditionMissing
│   ├── ChangedMeanwhile
│   ├── ProductExists
│   ├── KeyReused
│   └── StillRunning
├── AssetFailure                  a layer's file cannot be used
│   ├── AssetMissing
│   ├── AssetUndecodable
│   └── AssetTooLarge
├── UploadUnderWay                another request is sending the same file
├── UploadsUnavailable            quarantine could not be used
├── UploadNotArrived              the file of a completed upload is not there
├── UploadExpired                 it was not completed in its time
├── FileRefused                   an uploaded file failed its check
├── TooManyUploads                a caller has as many open as anybody may
├── Overloaded                    more to render than can be in time; carries when to return
├── RenderFailed                  drawing or encoding failed for a reason of our own
├── TierUnavailable               a store of renditions could not be asked; callers see a miss
├── InvalidCatalogue              a definition folder is broken; carries every fault found
├── ReleasesUnavailable           the store of releases could not be asked
├── ReleaseUnreadable             a published document is damaged, or of another program's shape
├── PublishedMeanwhile            another publisher was first; nothing of this one is live
├── NothingPublished              there is no live state to serve
├── DatabaseUnavailable           no server of the database answers in time
├── DatabaseMissing               the service was given no database
├── OutcomeUnknown                a change may have been kept, or not
├── SchemaBehind                  the database lacks migrations
├── MigrationFailed               a migration could not be applied
├── MailNotSent                   a message could not be handed over
├── InvalidPlan                   a plan read from a file is not one this release can draw
├── ServerNotStarted              a server that is brought along did not start
└── InvalidSetting                an environment variable is unknown or out of range

An error names the fact, carries its data as attributes, and says what would have been right.
"""

from render_service.errors.asked import AlphaNotOffered as AlphaNotOffered
from render_service.errors.asked import BadSignature as BadSignature
from render_service.errors.asked import ExpiredSignature as ExpiredSignature
from render_service.errors.asked import ForbiddenConfiguration as ForbiddenConfiguration
from render_service.errors.asked import FormatNotOffered as FormatNotOffered
from render_service.errors.asked import InvalidBody as InvalidBody
from render_service.errors.asked import InvalidRequest as InvalidRequest
from render_service.errors.asked import InvalidSelection as InvalidSelection
from render_service.errors.asked import MalformedPath as MalformedPath
from render_service.errors.asked import NotAllowed as NotAllowed
from render_service.errors.asked import NotFound as NotFound
from render_service.errors.asked import SignatureNeeded as SignatureNeeded
from render_service.errors.asked import UnknownComposition as UnknownComposition
from render_service.errors.asked import UnknownIdentifier as UnknownIdentifier
from render_service.errors.asked import UnknownOption as UnknownOption
from render_service.errors.asked import UnknownQueryKey as UnknownQueryKey
from render_service.errors.asked import UnknownValue as UnknownValue
from render_service.errors.asked import UnknownVersion as UnknownVersion
from render_service.errors.asked import UnknownView as UnknownView
from render_service.errors.asked import WidthNotOffered as WidthNotOffered
from render_service.errors.database import DatabaseMissing as DatabaseMissing
from render_service.errors.database import DatabaseUnavailable as DatabaseUnavailable
from render_service.errors.database import MigrationFailed as MigrationFailed
from render_service.errors.database import OutcomeUnknown as OutcomeUnknown
from render_service.errors.database import SchemaBehind as SchemaBehind
from render_service.errors.drafted import AssetNotStored as AssetNotStored
from render_service.errors.drafted import BaseMoved as BaseMoved
from render_service.errors.drafted import DraftMoved as DraftMoved
from render_service.errors.drafted import DraftTooLarge as DraftTooLarge
from render_service.errors.drafted import InvalidDraft as InvalidDraft
from render_service.errors.drafted import NothingIsPublishedHere as NothingIsPublishedHere
from render_service.errors.drafted import OtherPipelineLive as OtherPipelineLive
from render_service.errors.drafted import UnknownDraft as UnknownDraft
from render_service.errors.drafted import UnknownPart as UnknownPart
from render_service.errors.drafted import UnknownPreview as UnknownPreview
from render_service.errors.entered import NotSignedIn as NotSignedIn
from render_service.errors.entered import ScopeMissing as ScopeMissing
from render_service.errors.failed import AssetFailure as AssetFailure
from render_service.errors.failed import AssetMissing as AssetMissing
from render_service.errors.failed import AssetTooLarge as AssetTooLarge
from render_service.errors.failed import AssetUndecodable as AssetUndecodable
from render_service.errors.failed import Fault as Fault
from render_service.errors.failed import InvalidCatalogue as InvalidCatalogue
from render_service.errors.failed import InvalidPlan as InvalidPlan
from render_service.errors.failed import InvalidSetting as InvalidSetting
from render_service.errors.failed import Overloaded as Overloaded
from render_service.errors.failed import Refusal as Refusal
from render_service.errors.failed import RenderFailed as RenderFailed
from render_service.errors.failed import ServerNotStarted as ServerNotStarted
from render_service.errors.failed import TierUnavailable as TierUnavailable
from render_service.errors.priced import BadQuote as BadQuote
from render_service.errors.priced import ExpiredQuote as ExpiredQuote
from render_service.errors.priced import FieldFault as FieldFault
from render_service.errors.priced import InvalidImport as InvalidImport
from render_service.errors.priced import InvalidProduct as InvalidProduct
from render_service.errors.priced import NotPriced as NotPriced
from render_service.errors.priced import ProductUnreadable as ProductUnreadable
from render_service.errors.priced import QuoteRefused as QuoteRefused
from render_service.errors.priced import QuoteTooLarge as QuoteTooLarge
from render_service.errors.priced import RateInOtherCurrency as RateInOtherCurrency
from render_service.errors.priced import RateMissing as RateMissing
from render_service.errors.priced import RatesOverlap as RatesOverlap
from render_service.errors.priced import SizeNotOffered as SizeNotOffered
from render_service.errors.priced import UnknownProduct as UnknownProduct
from render_service.errors.priced import UnknownSku as UnknownSku
from render_service.errors.published import NothingPublished as NothingPublished
from render_service.errors.published import PublishedMeanwhile as PublishedMeanwhile
from render_service.errors.published import ReleasesUnavailable as ReleasesUnavailable
from render_service.errors.published import ReleaseUnreadable as ReleaseUnreadable
from render_service.errors.published import UnknownState as UnknownState
from render_service.errors.root import RenderServiceError as RenderServiceError
from render_service.errors.told import DeliveryFailed as DeliveryFailed
from render_service.errors.told import UnknownDelivery as UnknownDelivery
from render_service.errors.told import UnknownWebhook as UnknownWebhook
from render_service.errors.told import WebhookMoved as WebhookMoved
from render_service.errors.uploaded import FileRefused as FileRefused
from render_service.errors.uploaded import InvalidForm as InvalidForm
from render_service.errors.uploaded import RefusedFor as RefusedFor
from render_service.errors.uploaded import TooManyUploads as TooManyUploads
from render_service.errors.uploaded import UnknownAsset as UnknownAsset
from render_service.errors.uploaded import UnknownPhoto as UnknownPhoto
from render_service.errors.uploaded import UnknownUpload as UnknownUpload
from render_service.errors.uploaded import UploadExpired as UploadExpired
from render_service.errors.uploaded import UploadForbidden as UploadForbidden
from render_service.errors.uploaded import UploadNotArrived as UploadNotArrived
from render_service.errors.uploaded import UploadsUnavailable as UploadsUnavailable
from render_service.errors.uploaded import UploadUnderWay as UploadUnderWay
from render_service.errors.worked import AttemptOver as AttemptOver
from render_service.errors.worked import ChildFailed as ChildFailed
from render_service.errors.worked import JobCancelled as JobCancelled
from render_service.errors.worked import JobNotParked as JobNotParked
from render_service.errors.worked import JobOver as JobOver
from render_service.errors.worked import MailNotSent as MailNotSent
from render_service.errors.worked import QueueUnavailable as QueueUnavailable
from render_service.errors.worked import Superseded as Superseded
from render_service.errors.worked import UnknownJob as UnknownJob
from render_service.errors.written import ChangedMeanwhile as ChangedMeanwhile
from render_service.errors.written import KeyReused as KeyReused
from render_service.errors.written import PreconditionMissing as PreconditionMissing
from render_service.errors.written import ProductExists as ProductExists
from render_service.errors.written import StillRunning as StillRunning
from render_service.errors.written import WriteRefused as WriteRefused
