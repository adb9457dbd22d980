"""Authority, watchlist governance, keys for each entry and alert, retention.

Lists and alerts of before are not carried over: they have no plan, no authority and no key of their own, and templates
are never copied from one deployment to another (B12). Accounts and the log stay.

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


GONE = ("alert_picture", "alert", "watchlist_image", "watchlist_entry", "deployment")


def upgrade() -> None:
    for table in GONE:
        op.drop_table(table)
    op.create_table(
        "clock_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("latest", sa.DateTime(timezone=True), nullable=False),
        sa.Column("boot", sa.String(), nullable=False),
        sa.Column("up_s", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_mark")),
    )
    op.create_table(
        "deployment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("pack", sa.String(), nullable=False),
        sa.Column("pack_digest", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("policy_digest", sa.String(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("plan_digest", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("state_reason", sa.String(), nullable=False),
        sa.Column("state_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("urgent_confirm_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notice_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_id", sa.Uuid(), nullable=True),
        sa.Column("bundle", sa.JSON(), nullable=True),
        sa.Column("list_digest", sa.String(), nullable=True),
        sa.Column("entries", sa.Integer(), nullable=True),
        sa.Column("band", sa.Integer(), nullable=True),
        sa.Column("live_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("record_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reconciled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("off", sa.Integer(), nullable=True),
        sa.CheckConstraint("mode IN ('demo', 'research', 'operational')", name=op.f("ck_deployment_mode")),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'refused', 'authorised', 'ready', 'live', 'paused', 'stopped', 'suspended', 'ended', 'closed')",
            name=op.f("ck_deployment_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployment")),
    )
    op.create_index("ix_deployment_system_state", "deployment", ["system", "state"], unique=False)

    op.create_table(
        "document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("force", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("covers_public", sa.Boolean(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
    )
    op.create_table(
        "ledger_key",
        sa.Column("public", sa.String(), nullable=False),
        sa.Column("officer", sa.String(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("public", name=op.f("pk_ledger_key")),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("deployment_id", sa.Uuid(), nullable=False),
        sa.Column("ledger_key", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployment.id"],
            name=op.f("fk_ledger_entry_deployment_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["ledger_key"],
            ["ledger_key.public"],
            name=op.f("fk_ledger_entry_ledger_key"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
    )
    op.create_index("ix_ledger_entry_deployment_id", "ledger_entry", ["deployment_id"], unique=False)
    op.create_index("ix_ledger_entry_expires_at", "ledger_entry", ["expires_at"], unique=False)
    op.create_index("ix_ledger_entry_mac", "ledger_entry", ["mac"], unique=False)

    op.create_table(
        "ledger_reply",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ledger_key", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["ledger_key"],
            ["ledger_key.public"],
            name=op.f("fk_ledger_reply_ledger_key"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_reply")),
    )
    op.create_index("ix_ledger_reply_expires_at", "ledger_reply", ["expires_at"], unique=False)

    op.create_table(
        "officer_key",
        sa.Column("public", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("credential", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_officer_key_user_id"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("public", name=op.f("pk_officer_key")),
    )
    op.create_index("ix_officer_key_user_id", "officer_key", ["user_id"], unique=False)

    op.create_table(
        "sign_evidence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("deployment_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("picture", sa.LargeBinary(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_by", sa.String(), nullable=False),
        sa.CheckConstraint("kind IN ('photo', 'confirmation')", name=op.f("ck_sign_evidence_kind")),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployment.id"],
            name=op.f("fk_sign_evidence_deployment_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_evidence")),
    )
    op.create_index("ix_sign_evidence_deployment_id", "sign_evidence", ["deployment_id"], unique=False)

    op.create_table(
        "signed_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("deployment_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("officer", sa.String(), nullable=False),
        sa.Column("endorsed", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployment.id"],
            name=op.f("fk_signed_decision_deployment_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signed_decision")),
        sa.UniqueConstraint("deployment_id", "ordinal", name=op.f("uq_signed_decision_deployment_id_ordinal")),
    )
    op.create_index("ix_signed_decision_deployment_id", "signed_decision", ["deployment_id"], unique=False)

    op.create_table(
        "stored_object",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("deployment_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("going_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("going_for", sa.String(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('list-picture', 'list-template', 'list-details', 'alert-probe', 'alert-scene', 'sign-picture')",
            name=op.f("ck_stored_object_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployment.id"],
            name=op.f("fk_stored_object_deployment_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_object")),
    )
    op.create_index(
        "ix_stored_object_going",
        "stored_object",
        ["deployment_id"],
        unique=False,
        sqlite_where=sa.text("going_at IS NOT NULL AND deleted_at IS NULL"),
        postgresql_where=sa.text("going_at IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index("ix_stored_object_owner", "stored_object", ["deployment_id", "owner_id"], unique=False)

    op.create_table(
        "watchlist_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("deployment_id", sa.Uuid(), nullable=False),
        sa.Column("label_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("label_mac", sa.LargeBinary(), nullable=True),
        sa.Column("nominal_mac", sa.LargeBinary(), nullable=True),
        sa.Column("details_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("legal_basis", sa.String(), nullable=False),
        sa.Column("offence", sa.String(), nullable=False),
        sa.Column("max_sentence_years", sa.Float(), nullable=True),
        sa.Column("age_band", sa.String(), nullable=False),
        sa.Column("vulnerable", sa.Boolean(), nullable=False),
        sa.Column("placed", sa.Boolean(), nullable=False),
        sa.Column("approver", sa.String(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_by", sa.String(), nullable=True),
        sa.Column("special_decision", sa.Uuid(), nullable=True),
        sa.Column("special_approval", sa.Uuid(), nullable=True),
        sa.Column("status_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("alike", sa.Uuid(), nullable=True),
        sa.Column("leaf", sa.String(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.String(), nullable=True),
        sa.Column("revoked_reason", sa.String(), nullable=True),
        sa.CheckConstraint(
            "age_band IN ('adult', 'minor', 'young-child', 'unknown')", name=op.f("ck_watchlist_entry_age_band")
        ),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployment.id"],
            name=op.f("fk_watchlist_entry_deployment_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watchlist_entry")),
    )
    op.create_index("ix_watchlist_entry_nominal", "watchlist_entry", ["deployment_id", "nominal_mac"], unique=False)
    op.create_index(
        "uq_watchlist_entry_label",
        "watchlist_entry",
        ["deployment_id", "label_mac"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )

    op.create_table(
        "alert",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("deployment_id", sa.Uuid(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("transit", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("audit_entry_id", sa.Uuid(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=False),
        sa.Column("gap", sa.Float(), nullable=False),
        sa.Column("shots", sa.Integer(), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("media_s", sa.Float(), nullable=False),
        sa.Column("frame_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_shot_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("box_x", sa.Integer(), nullable=False),
        sa.Column("box_y", sa.Integer(), nullable=False),
        sa.Column("box_w", sa.Integer(), nullable=False),
        sa.Column("box_h", sa.Integer(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shredded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["audit_entry_id"],
            ["audit_entry.id"],
            name=op.f("fk_alert_audit_entry_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployment.id"],
            name=op.f("fk_alert_deployment_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["watchlist_entry.id"], name=op.f("fk_alert_entry_id"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sa.UniqueConstraint("audit_entry_id", name=op.f("uq_alert_audit_entry_id")),
        sa.UniqueConstraint("deployment_id", "camera", "run", "transit", "entry_id", name="uq_alert_transit"),
    )
    op.create_index("ix_alert_cooldown", "alert", ["deployment_id", "camera", "entry_id", "frame_at"], unique=False)
    op.create_index("ix_alert_expires_at", "alert", ["expires_at"], unique=False)

    op.create_table(
        "watchlist_image",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("deployment_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("picture_mac", sa.LargeBinary(), nullable=True),
        sa.Column("dim", sa.Integer(), nullable=False),
        sa.Column("face_px", sa.Float(), nullable=False),
        sa.Column("sharpness", sa.Float(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("lawful_hold", sa.String(), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=True),
        sa.Column("hold_review_on", sa.Date(), nullable=True),
        sa.Column("unconvicted", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("template_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("picture_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployment.id"],
            name=op.f("fk_watchlist_image_deployment_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["watchlist_entry.id"],
            name=op.f("fk_watchlist_image_entry_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watchlist_image")),
        sa.UniqueConstraint("deployment_id", "picture_mac", name=op.f("uq_watchlist_image_deployment_id_picture_mac")),
    )
    op.create_index("ix_watchlist_image_entry_id", "watchlist_image", ["entry_id"], unique=False)

    op.create_table(
        "alert_picture",
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('probe', 'scene')", name=op.f("ck_alert_picture_kind")),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alert.id"], name=op.f("fk_alert_picture_alert_id"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("alert_id", "kind", name=op.f("pk_alert_picture")),
    )
    op.create_table(
        "evidence_hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("deployment_id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("placed_by", sa.String(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alert.id"], name=op.f("fk_evidence_hold_alert_id"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployment.id"],
            name=op.f("fk_evidence_hold_deployment_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_hold")),
    )
    op.create_index("ix_evidence_hold_alert_id", "evidence_hold", ["alert_id"], unique=False)
    op.create_index("ix_evidence_hold_deployment_id", "evidence_hold", ["deployment_id"], unique=False)

    with op.batch_alter_table("app_user", schema=None) as batch_op:
        batch_op.add_column(sa.Column("roles", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("rank", sa.String(), nullable=True))
    for role in ("operator", "engineer", "auditor"):
        op.execute(f"""UPDATE app_user SET roles = '["{role}"]' WHERE role = '{role}'""")
    with op.batch_alter_table("app_user", schema=None) as batch_op:
        batch_op.alter_column("roles", nullable=False, existing_type=sa.JSON())
        batch_op.drop_constraint(op.f("ck_app_user_role"), type_="check")
        batch_op.drop_column("role")


def downgrade() -> None:
    raise RuntimeError("the log is append-only: there is no way back but a backup")
