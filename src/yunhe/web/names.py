"""What people read for the codes that evidence stores."""

from __future__ import annotations

from collections.abc import Mapping

from yunhe.core.organizations import api as organizations


def _two(zh: str, en: str) -> Mapping[str, str]:
    return {"zh": zh, "en": en}


EVIDENCE_KINDS: Mapping[str, Mapping[str, str]] = {
    "attachments.attached": _two("随件提交附件", "Attachment handed in"),
    "attachments.deleted": _two("删除附件", "Attachment deleted"),
    "attachments.shared": _two("附件随件引用", "Attachment used by another case"),
    "attachments.downloaded": _two("下载附件", "Attachment downloaded"),
    "attachments.infected": _two("附件有病毒", "Attachment infected"),
    "attachments.uploaded": _two("上传附件", "Attachment uploaded"),
    "case.event": _two("办理一步", "Case step"),
    "case.draft_swept": _two("清理过期草稿", "Draft swept"),
    "case.delegated": _two("委托代办", "Delegated while away"),
    "case.delegation_ended": _two("结束代办", "Delegation ended"),
    "case.migrated": _two("在办办件按新流程续办", "Running cases moved to a new procedure"),
    "case.migration_approved": _two("批准流程变更", "Change of a procedure approved"),
    "case.migration_drafted": _two("起草流程变更", "Change of a procedure drafted"),
    "case.table_published": _two("发布决策表", "Decision table published"),
    "case.migration_withdrawn": _two("撤回流程变更", "Change of a procedure taken back"),
    "case.kind_published": _two("发布办件类型", "Case kind published"),
    "data.answered": _two("查询结果已交付", "Query answered"),
    "data.queried": _two("查询数据", "Data queried"),
    "data.read": _two("查看数据", "Data read"),
    "evidence.unreadable_line": _two("网关存证行无法读取", "Unreadable line of the gateway"),
    "exchange.grant_revoked": _two("收回授权", "Grant revoked"),
    "exchange.granted": _two("授权", "Granted"),
    "exchange.system_created": _two("新建接入系统", "System set up"),
    "exchange.system_revoked": _two("收回接入系统密钥", "System key revoked"),
    "gateway.query": _two("网关调用", "Gateway call"),
    "gateway.refused": _two("网关拒绝的匿名调用（合计）", "Refused calls of nobody (counted)"),
    "jobs.letter_dropped": _two("丢弃死信", "Dead letter dropped"),
    "lake.released": _two("发布数据", "Data released"),
    "lake.rolled_back": _two("回滚发布", "Release rolled back"),
    "notices.contact_removed": _two("移除联系方式", "Contact address removed"),
    "notices.contact_verified": _two("验证联系方式", "Contact address verified"),
    "notices.webhook_registered": _two("登记推送地址", "Webhook registered"),
    "notices.webhook_removed": _two("移除推送地址", "Webhook removed"),
    "organizations.membership_added": _two("授予任职", "Membership granted"),
    "organizations.membership_ended": _two("结束任职", "Membership ended"),
    "organizations.organization_created": _two("登记机构", "Organisation registered"),
    "organizations.organization_ended": _two("撤销机构", "Organisation ended"),
    "organizations.password_changed": _two("修改密码", "Password changed"),
    "organizations.password_set": _two("重置密码", "Password reset"),
    "organizations.region_created": _two("登记行政区划", "Division registered"),
    "organizations.role_defined": _two("定义角色", "Role defined"),
    "organizations.sign_in_failed": _two("登录失败", "Sign-in failed"),
    "organizations.signed_in": _two("登录", "Signed in"),
    "organizations.signed_out": _two("退出", "Signed out"),
    "organizations.user_closed": _two("停用账号", "Account closed"),
    "organizations.user_created": _two("开通账号", "Account opened"),
    "packs.pack_loaded": _two("装入能力包", "Pack loaded"),
    "register.created": _two("登记条目", "Entry registered"),
    "register.published": _two("发布条目", "Entry published"),
    "register.saved": _two("修改条目", "Entry changed"),
    "register.sent_back": _two("退回条目", "Entry sent back"),
    "register.submitted": _two("提交条目", "Entry submitted"),
    "register.withdrawn": _two("下架条目", "Entry withdrawn"),
    "register.type_defined": _two("定义名录", "Register defined"),
}
SUBJECT_TYPES: Mapping[str, Mapping[str, str]] = {
    "message": _two("消息", "Message"),
    "attachment": _two("附件", "Attachment"),
    "user": _two("人员", "Person"),
    "organization": _two("机构", "Organisation"),
    "region": _two("行政区划", "Division"),
    "role": _two("角色", "Role"),
    "pack": _two("能力包", "Pack"),
    "case": _two("办件", "Case"),
    "case_kind": _two("办件类型", "Case kind"),
    "delegation": _two("代办", "Delegation"),
    "data_resource": _two("数据资源", "Data resource"),
    "resource": _two("数据资源", "Data resource"),
    "grant": _two("授权", "Grant"),
    "system": _two("接入系统", "System"),
    "access_system": _two("接入系统", "System"),
    "entry": _two("名录条目", "Register entry"),
    "register": _two("名录", "Register"),
    "register_type": _two("名录", "Register"),
}
SOURCES: Mapping[str, Mapping[str, str]] = {
    "control": _two("控制台", "Console"),
    "gateway": _two("网关", "Gateway"),
}


def role_names(codes: frozenset[str]) -> dict[str, Mapping[str, str]]:
    """Return code → the name of each role. Cost: one query."""
    return {role.code: role.title for role in organizations.list_roles() if role.code in codes}


def organization_names(codes: frozenset[str]) -> dict[str, str]:
    """Return code → the name that lists show. Cost: one query per code."""
    found = ((code, organizations.find_organization(code=code)) for code in sorted(codes))
    return {code: body.label for code, body in found if body is not None}
