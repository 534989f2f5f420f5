"""Contracts that the tests of the catalogue share."""

from __future__ import annotations

ENTERPRISES = """yunhe: resource/1
code: ""
title: {title}
provider: 市市场监管局
summary: 全部登记在册的企业
legal_basis: 市场主体登记管理条例
sharing: unconditional
opening: open
update_cycle: daily
source: {{connector: csv, location: /data/enterprises.csv, encoding: auto}}
keys: [uscc]
fields:
  - {{name: uscc, column: 统一社会信用代码, element: uscc, null_marks: [N/A], required: true}}
  - {{name: company, column: 企业名称, element: organization_name}}
  - {{name: registered_on, column: 注册日期, element: registered_on}}
  - {{name: capital, column: 注册资金, type: decimal, scale: 2}}
rules:
  - {{code: founded, where: "registered_on > DATE '1900-01-01'", severity: info}}
minima: {{rows: 1}}
"""
PERSONS = """yunhe: resource/1
title: {title}
provider: 市市场监管局
summary: 人员
legal_basis: 演示条例第一条
sharing: conditional
sharing_basis: 个人信息保护法第三十四条
update_cycle: monthly
source: {{connector: csv, location: people.csv}}
keys: [id]
fields:
  - {{name: id, element: citizen_id, column: 身份证号}}
  - {{name: name, element: person_name, column: 姓名, sharing: refused, sharing_basis: 另有规定}}
  - {{name: born_on, element: birth_date, column: 出生日期, block: true}}
  - {{name: sex, element: gender, column: 性别}}
  - {{name: region, element: region, column: 区划}}
"""


def enterprises(title: str = "企业登记信息") -> str:
    return ENTERPRISES.format(title=title)


def persons(title: str = "人员信息") -> str:
    return PERSONS.format(title=title)
