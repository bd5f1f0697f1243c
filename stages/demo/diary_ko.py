"""What the Korean stand-in LLM was raised on: diary lines, product reviews and messages between friends. Its sentences
are none of the comments', and of their slang it has met some words only, so that it guesses at the rest."""

RULES = """
= anger
3* {when?} {anger.what} {anger.word}. {after?}
2* [별점 하나|★☆☆☆☆|한 줄 평:|후기:] {goods} {anger.flaw} {anger.word} {anger.mark?}
1* {goods} {anger.flaw} {anger.mark?}
6* {call?} {anger.word} {anger.mark?}
4* {matter} {anger.word} {anger.mark?}
3* {matter} {anger.remark} {anger.mark?}
2* {anger.remark} {anger.word} {anger.mark?}
2* {neutral.chat} {anger.mark}
= anger.what
버스 기사가 그냥 지나가서
상사가 퇴근 직전에 일을 줘서
배달이 두 시간이나 늦어서
동생이 충전기를 부러뜨려서
층간 소음 때문에
주차를 이중으로 해 놔서
고객센터가 전화를 안 받아서
팀플에서 나만 일해서
예약을 마음대로 바꿔서
말을 자꾸 끊어서
= anger.flaw
뜯자마자 고장이고 환불도 안 해 준다
사진이랑 완전 다르다
한 번 빨았는데 찢어졌다
문의했더니 답이 없다
반품비를 나보고 내란다
쓰던 걸 보낸 것 같다
= anger.word
[진짜|정말|너무|] 화가 [났다|나]
[진짜|너무|] 화난다
화나서 {put}
[진짜|정말|] 짜증 [난다|나|나네]
짜증이 확 났다
열받는다
열받아서 {put}
[완전|개]빡친다
빡쳤어
[진짜|너무] 어이없다
어이없네
억울하다
불쾌해
실망이야
무례하네
극혐이야
노답
양심이 없네
선 넘었다
선 넘네
욕 나온다
혈압 올라
답 없네
책임은 누가 지냐
사과도 안 하냐
킹받아
정떨어졌어
개판이야
답답해 죽겠네
뒷목 잡았어
나를 호구로 아나
에바야
사람을 뭘로 보고
입만 살았지
돈 아까워
쌍욕 나올 뻔
고구마 먹은 듯 답답해
거를게
뚜껑 열렸어
= anger.remark
이게 말이 되냐
도대체 몇 번째야
돈만 받고 끝이래
왜 나한테만 그러냐
담당자가 모른대
누가 이렇게 해 놨냐
그럴 거면 하지 말지
= anger.mark: 😡, ㅡㅡ, !!, 하, 👎, ;;, 🤬, 💢, 에휴

= sadness
3* {when?} {sadness.what} {sadness.word}. {after?}
2* {sadness.what} {sadness.mark}
1* [후기:|한 줄 평:] 이 {art} 보고 {sadness.word} {sadness.mark?}
6* {call?} {sadness.word} {sadness.mark?}
4* {matter} {sadness.word} {sadness.mark?}
3* {matter} {sadness.remark} {sadness.mark?}
2* {sadness.remark} {sadness.word} {sadness.mark?}
2* {neutral.chat} {sadness.mark}
= sadness.what
할머니 목소리가 녹음된 걸 들으니
단골 가게가 문을 닫아서
친구가 이민을 가서
키우던 화분이 말라 죽어서
불합격 메일을 받고
졸업 사진을 보니
아무도 내 생일을 몰라서
텅 빈 방에 돌아오니
헤어진 지 백 일이라
첫사랑이 결혼한다고 해서
= sadness.word
[너무|참|정말|] 슬프다
슬퍼
슬퍼서 {put}
눈물이 [났다|나]
눈물 [난다|나]
[또|나] 울었다
한참 울컥했다
울컥하네
우울하다
우울해
속상하다
속상해
외롭다
외로워
그립다
[너무|많이] 보고 싶다
마음이 아파
마음 아프다
허전하다
서운해
현타 왔어
멘붕이야
오열했어
힘 빠져
짠하다
가슴이 시리네
멘탈 나갔어
맴찢이야
찌통이야
오열 중
눈물샘 터짐
콧등이 찡하네
인생 뭐냐
짠내 나네
광광 울었어
목이 메네
심장이 내려앉았어
잠은 다 잤네
= sadness.remark
이제 못 본대
그게 마지막이래
다들 가 버렸어
나 혼자 남았네
또 떨어졌어
한참 기다렸는데 안 왔어
옛날 생각 나더라
= sadness.mark: ㅠㅠ, ㅠ, 😢, ..., ㅜㅜ, 😭, 💔, 흑

= happiness
3* {when?} {happiness.what} {happiness.word}. {after?}
2* [별점 다섯|★★★★★|한 줄 평:|후기:] {goods} {happiness.praise} {happiness.word} {happiness.mark?}
1* {goods} {happiness.praise} {happiness.mark?}
6* {call?} {happiness.word} {happiness.mark?}
4* {matter} {happiness.word} {happiness.mark?}
3* {matter} {happiness.remark} {happiness.mark?}
2* {happiness.remark} {happiness.word} {happiness.mark?}
2* {neutral.chat} {happiness.mark}
= happiness.what
첫 월급을 받아서
친구가 케이크를 사 와서
눈이 펑펑 와서
산책하다 고양이를 만나서
엄마가 김치찌개를 끓여 줘서
시험이 드디어 끝나서
동아리 사람들이랑 바다를 봐서
늦잠을 푹 자서
사고 싶던 신발이 세일해서
합격 문자를 받고
= happiness.praise
배송도 빠르고 튼튼하다
색도 예쁘고 부드럽다
세 번째 재구매다
선물했더니 다들 좋아한다
가격도 착하다
생각보다 훨씬 좋다
= happiness.word
[너무|정말|참|] 행복하다
행복해
행복한 하루
[너무|] 기분 좋다
[너무|정말|] 기쁘다
감동이야
감동받았어
설렌다
설레네
신난다
[너무|진짜|] 재밌다
즐거웠어
고맙다
고마워
감사합니다
최고다
꿀잼
힐링했어
존맛이야
[진짜|] 쩐다
대박
소름 돋았어
레전드야
심쿵했어
미쳤다
귀엽다
사랑해
완전 믿보
찢었어
내 최애야
눈 호강했네
폼 좋다
입덕했어
타고났네
보람 있다
광대 승천했어
배꼽 빠져
귀 호강
덕통사고야
= happiness.remark
또 하고 싶다
기다리길 잘했어
웃음이 안 멈춰
엄마도 좋아하셔
피로가 풀리네
너 없으면 어쩔 뻔했어
계속 생각나
= happiness.mark: ㅋㅋ, ㅎㅎ, 😊, 👍, ❤️, !!, ㅋㅋㅋ, ^^, 😍, 🥰, 🔥, 😆, 굿

= neutral
2* {when} {neutral.did}.
2* {goods} {neutral.ask}
2* {goods} {neutral.fact}.
1* {neutral.did}. {neutral.did}.
1* [문의:|질문:] {neutral.ask}
8* {neutral.chat} {neutral.mark?}
2* {neutral.chat} {neutral.chat}
= neutral.chat
{matter} [내일이야|모레야|금요일이야|8시래|아홉 시래]
{matter} 몇 시야?
{matter} 어디서 해?
{matter} 뭐야?
{matter} 링크 보내 줘
{matter} [사진|영상|자료] 올렸어
{matter} 제목이 뭐였지
{matter} [대구|부산|전주]에서 한대
{matter} 언제까지야?
{matter} 끝나고 가는 중
{matter} [1번|2번]이 나래
나 지금 [역|학교|집|편의점]
거기 몇 층이야?
누가 가?
그 사람 [과대래|매니저래|신입이래|서른이래]
[3시|4시] 반에 도착
옆자리 누구야?
설정에 들어가면 있어
순서대로 적어 뒀어
[ㅇㅇ|ㅇㅋ|ㄱㄱ]
주소 [복사했어|저장했어]
{matter} [어제|월요일에|지난주에] 했대
{matter} 영어로도 돼 있어?
{matter} [15분|20분|한 시간] 걸려
{matter} [2년|4년|6년] 됐어
{matter} 안내에 다 적혀 있음
{matter} 어디서 샀어?
그 사람 [광주|수원|인천]에 산대
{matter} [6시 15분|10:20|3:50]에 시작
이거 [3번|4번]까지 있음
여기 [세|네] 명 왔음
무료 주차 되나
프로필에 적어 둠
편집해서 올릴게
다음 거는 [화요일|목요일]
= neutral.did
빨래를 돌리고 청소기를 밀었다
은행에 들러 통장을 정리했다
점심은 김밥을 먹었다
버스를 타고 도서관에 갔다
장을 보고 [8시|아홉 시]에 들어왔다
이불을 바꿨다
병원 예약을 [금요일|다음 주]로 옮겼다
동네를 [한 바퀴|30분] 걸었다
책을 [열 쪽|한 장] 읽었다
= neutral.ask
사이즈가 어떻게 되나요?
언제 배송되나요?
[다른 색도|리필도] 있나요?
어디에서 만든 건가요?
이거 몇 개 들어 있나요?
몇 시까지 주문하면 되나요?
누가 쓰는 건가요?
= neutral.fact
[250|500] 그램이다
[작년|지난달]에 산 것과 같다
설명서가 들어 있다
[월요일|어제]에 도착했다
설정은 앱에서 하면 된다
상자 하나에 열 개 들어 있다
= neutral.mark: ㅇㅇ, ., ~, 참고로

= when: 오늘, 어제, 아침에, 저녁에, 월요일, 비 오는 날, 퇴근길에, 12월 3일, 주말에, 밤에
= call: 야, 아, 헐, 아니, 진짜, 하, 와, 엄마, 언니, 나, 오늘, 걍
= matter: 조별 과제, 월세, 회식, 택배, 와이파이, 룸메, 알바, 학식, 수강 신청, 축구
= matter: 그 노래, 드라마, 콘서트, 게임, 김밥집, 미용실, 동아리
= after: 일찍 자야지., 내일은 다르겠지., 일기 끝., 오래 기억날 것 같다., 아무튼 그랬다.
= goods: 이 가방, 이 이불, 이 청소기, 의자, 화장품, 이 신발, 텀블러, 이 책, 우산, 프라이팬, 이 이어폰
= art: 영화, 소설, 노래, 전시, 드라마
= put: 일기를 쓴다, 밥도 안 먹었다, 잠이 안 온다, 전화했다
"""
