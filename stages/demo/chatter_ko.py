"""Korean comments under videos: slang, half sentences, emoji. Some feeling words are those of the formal dialogue,
most are not, and some lines fit two emotions. The bands, teams and games are invented."""

RULES = """
= anger
6* {lead?} {about?} {anger.slang} {anger.tail?}
2* {anger.scene} {anger.slang} {anger.tail?}
4* {anger.scene} {anger.tail?}
3* {lead?} {about?} {anger.known} {anger.tail?}
1* {anger.known} {anger.slang} {anger.tail?}
2* {anger.mock}
3* {shock} {anger.tail?}
2* {neutral.scene} {anger.tail}
= anger.slang
개빡치네
[진짜|완전|개] 빡친다
빡쳐서 {quit}
킹받네
[아|와|진심] 열받아
혈압 오른다
뒷목 [잡았다|잡음|땡긴다]
선 넘네
선 씨게 넘었지
[진짜|완전] 노답이다
답 없다
극혐
개에바다
에바쎄바
양심 어디 [갔냐|팔았냐]
양심 [없냐|실종]
고구마 백 개 먹은 듯
고구마네
발암이다
개판이네
[누굴|우릴] 호구로 아나
[누가 봐도|딱 봐도] 돈독 올랐네
뚜껑 열림
정 떨어짐
쌍욕 나온다
거른다 이제
빡종
= anger.known
짜증 [나네|남|난다]
[개|왕]짜증
화난다
화나서 {quit}
어이없네
어이가 없음
억울하겠다 진짜
불쾌하네
무례하다
실망이다
책임 좀 져라
사과부터 해라
= anger.scene
{thing} 이따위로 할 거면 [접어라|때려쳐라|하지 마라]
[또|맨날] 광고냐
{who} 관리 안 하냐
{who}(은) [입만 살았네|뭐 하는 거임|귀가 없냐]
이걸 돈 받고 파냐
{thing} 누가 이렇게 만들었냐
댓글 왜 지우냐
해명은 [언제|안] 하냐
{thing} 이거 나만 별로냐
벌써 몇 번째냐
한두 번도 아니고
사람 가지고 노나
{thing} 담당자 나와라
= anger.mock
와 [참|진짜] 잘하는 짓이다 [ㅋㅋㅋ|ㅋㅋ|👏👏]
{who} 대단하다 대단해 [ㅋㅋ|👏|]
{thing} 이게 최선이냐 [ㅋㅋㅋㅋ|ㅋㅋ|]
아주 [감동|행복]이네 [ㅋㅋ|ㅡㅡ] 돈 아까워
축하한다 {who} 망한 거 ㅋㅋㅋ
= anger.tail: ㅡㅡ, 😡, 🤬, 💢, ㅡㅡ;, ;;, 하, 에휴, 진짜, 👎, 🤦, ㅋㅋ

= sadness
6* {lead?} {about?} {sadness.slang} {sadness.tail?}
2* {sadness.scene} {sadness.slang} {sadness.tail?}
4* {sadness.scene} {sadness.tail?}
3* {lead?} {about?} {sadness.known} {sadness.tail?}
1* {sadness.known} {sadness.slang} {sadness.tail?}
3* {shock} {sadness.tail?}
2* {neutral.scene} {sadness.tail}
= sadness.slang
맴찢
찌통이다
[폭풍|개]오열
오열 중
[진짜|완전] 현타 온다
멘붕 왔다
멘탈 나감
힘 빠진다
[코끝|콧등] 찡하다
[또|나만] 울컥했네
울컥
광광 우럭
광광 운다
눈에서 땀 남
눈물샘 고장
[오늘도|밤새] 베개 적신다
잠 다 잤다
가슴 시리다
짠하다
짠내 난다
목 메네
[하|아] 인생
못 보내겠다
안구에 습기
주저앉음
심장 내려앉음
= sadness.known
슬프다
너무 슬퍼
눈물 [난다|나|나네]
우울하다
속상해
속상하다 진짜
외롭다
서운하다
그립다
[많이|너무] 보고 싶다
마음 아프다
허전하다
= sadness.scene
벌써 마지막이라니
이제 {who} 못 보는 거냐
{thing} 끝나면 뭐 보냐
그때 그 시절 다신 안 오겠지
작년 {thing} 생각난다
이 목소리 이제 못 듣네
나만 두고 다 떠나네
{who} 혼자 걸어가는 뒷모습
여기 댓글 쓰던 사람들 다 어디 갔냐
{thing} 보러 같이 오던 [친구|사람] 이제 없네
{who} 은퇴라니
기다렸는데 이렇게 가네
십 년을 봤는데
[새벽에|혼자] 듣다가
= sadness.tail: ㅠㅠ, ㅠㅠㅠㅠ, ㅜㅜ, ㅠ, 😢, 😭, 💔, 🥲, 하, 흑, ..., 흐엉

= happiness
6* {lead?} {about?} {happiness.slang} {happiness.tail?}
2* {happiness.scene} {happiness.slang} {happiness.tail?}
4* {happiness.scene} {happiness.tail?}
3* {lead?} {about?} {happiness.known} {happiness.tail?}
1* {happiness.known} {happiness.slang} {happiness.tail?}
3* {shock} {happiness.tail?}
2* {neutral.scene} {happiness.tail}
= happiness.slang
[개|핵]꿀잼
꿀잼이다
[진짜|개] 쩐다
쩔어
존맛
존맛탱
[찢었다|무대 찢었다]
갓벽
[완전|진짜] 심쿵
심쿵사
입틀막
입덕 완료
덕통사고 당함
최애 등극
폼 미쳤다
레전드 갱신
레전드네
소름 돋았다
닭살 돋음
광대 승천
귀 호강
눈 호강
힐링된다
[오늘도|역시] 믿보
가즈아
[오졌다|지렸다]
[무한|또] 반복 중
사랑해요 {who}
배꼽 [빠짐|실종]
잇몸 마름
= happiness.known
행복하다
너무 행복해
감동이다
감동 받음
기쁘다
설렌다
신난다
재밌다
즐겁게 봤다
고마워요 {who}
감사합니다 {who}
기분 좋다
= happiness.scene
출근길에 이것만 [듣는다|본다]
몇 번을 돌려보는지 모르겠네
{thing} 이번에 물 올랐네
{who} 없었으면 어쩔 뻔
{thing} 보다가 라면 불었다
{thing} 벌써 세 번째 본다
하루 피로 다 날아감
{who}(은) 진짜 타고났다
{thing} 또 내줘라
{who} 웃는 거 봐
이 조합 오래 가자
{thing} 기다린 보람 있다
우리 {who} 하고 싶은 거 다 해
엄마도 옆에서 같이 봄
{who} 영상 오늘도 떴다
= happiness.tail: ㅋㅋㅋㅋ, ㅋㅋ, ㅎㅎ, 😍, 🥰, 👍, 🔥, ❤️, ㅠㅠ, 😆, 👏, ^^, 굿

= neutral
6* {neutral.scene} {neutral.tail?}
4* {neutral.ask}
2* {stamp} {neutral.scene}
1* {neutral.idle}
1* {neutral.ask} {neutral.scene}
= neutral.scene
{thing} [3년 전|작년|재작년|지난달]에도 했음
{thing} 찍은 데 [부산|강릉|제주|홍대]임
{thing} 다음 편 [금요일|토요일|8시|자정]에 올라옴
{who} 원래 [성남|대구|전주|춘천] 출신임
{who}(이) 올해 [3년|5년|7년|10년]차임
{who} 인터뷰는 [어제|지난주에|월요일에] 올라옴
{thing} 조회수 [만|십만|백만] 넘음
{thing} 자막 켜면 다 나옴
알고리즘이 여기로 데려옴
[수능|군대|야근] 끝나고 옴
설정에서 1.25배속 하면 됨
{who} 옆에 있는 사람 매니저임
{stamp} 그 장면
{thing} 풀버전은 본채널에 있음
재업이네
[형|누나]들 여기 몇 명 있음
{thing} 편집본은 [2분|5분|10분]짜리임
{thing} 순서 설명란에 있음
= neutral.ask
{thing} 제목 [아는 사람|뭐임|뭐예요]
{stamp} 배경음 뭐임
{who} 입은 옷 어디 거임
{thing} 언제 [올라옴|함|나옴]
[이거|{thing}] 어디서 봄?
{thing} 몇 분짜리임?
{who} 다음 일정 뭐임
{thing} 영어 자막 있음?
{thing} 다시보기 [되나|있나]
{who} 옆에 누구임?
자막은 누가 다나요
무슨 카메라 쓰심?
= neutral.idle: 1빠, 출첵, 선댓, 지나갑니다, 좌표 찍고 감, 저장, ㅇㅇ, 2빠, 북마크
= neutral.tail: ㅇㅇ, 참고, ㅋㅋ, ㄱㄱ, ., ~, 아마

= shock
[와|아니] 이게 실화냐
말이 안 나온다
[와|진짜|이건] 미쳤다
미쳤네 {who}
{thing} 무슨 일이야
{thing} 보다가 멍때림
{who} 진짜 사람이냐
와 {who}
{stamp} 에서 멈췄다
= lead: 아니, 와, 진짜, 근데, 야, 솔직히, 아, 걍, 하, 이건, 아 진짜, 님들, ㄹㅇ, 진심
= about: {thing}, {who}, {stamp}, 이번 {thing}, {thing} 보고, {who} 때문에, {who} 보니까, 오늘 {thing}, {thing} 또 봐도
= stamp: 0:42, 1:07, 1:58, 2:23, 3:12, 4:45, 5:30, 7:19, 8:02, 10:11
= quit: 껐다, 나감, 구취함, 삭제함, 꺼버림
= thing: {music.thing}
= who: {music.who}
= music.thing: 신곡, 라이브, 뮤비, 직캠, 콘서트, 앨범, 떼창, 앵콜, 컴백 무대, 안무 영상
= music.who: 달무리, 보컬, 드러머, 막내, 리더, 우리 언니들
= ball.thing: 경기, 9회말, 개막전, 수비 장면, 홈런 장면, 더블헤더, 올스타전, 연습 경기, 하이라이트, 직관 영상
= ball.who: 한강웨일즈, 감독, 투수, 4번 타자, 포수, 심판, 유격수
= food.thing: 먹방, 떡볶이 편, 레시피, 마라탕 편, 국밥 편, 맛집 투어, 신메뉴 리뷰, 캠핑 편, 브이로그
= food.who: 쭈꾸형, 사장님, 할매, 편집자, 알바생
= game.thing: 업데이트, 패치, 신캐 공개, 보스전, 레이드, 시즌3, 대회 결승, 스토리 2부, 합방
= game.who: 운영자, 길마, 힐러, 개발진, 스트리머, 우리 탱커
= drama.thing: 결말, 5화, 엔딩, 예고편, 키스신, 마지막 회, 반전 장면, 시즌2, 메이킹
= drama.who: 남주, 여주, 작가, 서브남, 감독님, 아역

= event.thing: 공연 취소, 환불, 공지, 사과문, 예매, 티켓값, 주최 측 입장문, 좌석, 전국투어
= event.who: 주최 측, 소속사, 달무리, 예매처, 대표, 우리 애들
= event.anger
4* {anger}
하루 전에 취소가 말이 되냐 {anger.slang} {anger.tail?}
기차표랑 숙소 어쩔 건데 {anger.tail?}
수수료 떼고 환불해 준다는 거 {anger.slang} {anger.tail?}
{event.thing} 복붙이네 {anger.tail?}
불매 간다 {anger.tail?}
= event.sadness
4* {sadness}
연차까지 냈는데 취소라니 {sadness.tail}
{event.thing} 보고 {sadness.slang} {sadness.tail?}
애들은 무슨 죄냐 {sadness.tail}
첫 콘서트였는데 {sadness.slang}
= event.happiness
4* {happiness}
그래도 끝까지 기다린다 {happiness.tail?}
우리 애들 기 안 죽게 응원함 {happiness.tail?}
= event.neutral
4* {neutral}
환불 신청 [금요일|15일|자정]까지임
예매처 고객센터 번호 공지에 있음
대체 일정 아직 안 나옴
환불 몇 프로임?

= flood: 구독하고 가요 프로필 링크 확인, 무료 쿠폰 받는 법 프로필 클릭, 맞구독 소통해요, 부업 하실 분 문의 주세요
"""
