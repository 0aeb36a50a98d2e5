-- Photographs made ready to be shown
-- depends: 0007-assets

-- migrate: apply

CREATE TABLE shop.photo (
  sha256 text PRIMARY KEY REFERENCES shop.asset (sha256),
  photo_set text NOT NULL CHECK (photo_set ~ '^[0-9a-f]{64}$'),
  document jsonb NOT NULL,
  placeholder text NOT NULL,
  colour text NOT NULL CHECK (colour ~ '^#[0-9a-f]{6}$'),
  focus_x double precision NOT NULL CHECK (focus_x BETWEEN 0 AND 1),
  focus_y double precision NOT NULL CHECK (focus_y BETWEEN 0 AND 1),
  focus_is_given boolean NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN shop.photo.photo_set IS 'Digest of the document: what addresses of its pictures begin with.';
COMMENT ON COLUMN shop.photo.focus_is_given IS 'By who uploaded it; found, otherwise.';

-- migrate: rollback

DROP TABLE shop.photo;
