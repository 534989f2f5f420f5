"""What generated people and enterprises are called: common surnames and characters, facts of the language."""

from __future__ import annotations

# Frequent surnames, the most frequent first; drawn with falling weight.
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
MALE_CHARACTERS = (
    "伟强磊军洋勇杰涛超明刚平辉鹏飞波斌宇浩凯健俊帆帅旭宁龙林欢阳建华亮成建国志文博文轩子昊天泽一鸣瑞晨"
)
FEMALE_CHARACTERS = (
    "芳娜敏静丽艳娟霞秀英玲桂兰婷雪梅琳慧颖洁红玉萍燕倩莹佳欣怡雨涵梓萱思若诗语嘉晓月云凤珍莉晶露瑶"
)
# Sound like firms and belong to none: two characters from here between the city's name and the trade.
FIRM_CHARACTERS = "恒瑞盛和泰丰源诚信达康宏远兴隆嘉华安顺通正鼎新博汇联创智云海天润泽"
TRADES = (
    "科技", "商贸", "建筑工程", "食品", "机械制造", "纺织", "物流", "餐饮管理", "信息技术", "农业发展",
    "文化传媒", "医疗器械", "新能源", "环保", "家具", "汽车服务", "电子", "教育咨询", "装饰", "水产",
)  # fmt: skip
FORMS = ("有限责任公司", "股份有限公司", "个人独资企业", "合伙企业")
STREETS = ("运河路", "解放路", "人民路", "建设大道", "文昌街", "青年路", "新港路", "滨河东路", "学府街", "工业二路")
