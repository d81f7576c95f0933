#define NS 3
#define NSTOCK 3
#define NV 2
#define NINV 0
static const double T0=0.0,T1=120.0,DT=0.25,SAVE=1.0;
static const double VDEF[NV]={0.3,5.0};
static const double VLO[NV]={0.2,3.0};
static const double VHI[NV]={0.6,9.0};
#define C_total_population 1000.0
#define C_initial_infectious 5.0
#define DERIV_BODY \
const REAL v_succumbing=Y(0)*Y(1)/C_total_population*PV(0); \
const REAL v_recovering=Y(1)/PV(1); \
DY(0,(-v_succumbing)) \
DY(1,v_succumbing-v_recovering) \
DY(2,v_recovering)
#define INV_BODY \

#define INIT_BODY \
const REAL w_infectious=C_initial_infectious; \
const REAL w_susceptible=C_total_population; \
const REAL w_succumbing=w_susceptible*w_infectious/C_total_population*PV(0); \
const REAL w_recovering=w_infectious/PV(1); \
const REAL w_recovered=0.0; \
YS(0,w_susceptible) \
YS(1,w_infectious) \
YS(2,w_recovered)
