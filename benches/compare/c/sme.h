#define NS 32
#define NSTOCK 15
#define NV 8
#define NINV 2
static const double T0=0.0,T1=120.0,DT=0.25,SAVE=1.0;
static const double VDEF[NV]={0.05,1.3,0.99,0.045,5.0,2.5,0.014,0.18};
static const double VLO[NV]={0.03,0.8,0.92,0.02,3.0,1.5,0.008,0.0};
static const double VHI[NV]={0.08,2.0,1.06,0.08,9.0,5.0,0.022,0.35};
static const double LX_reputation_on_acquisition[6]={0.0,0.2,0.4,0.6,0.8,1.0};
static const double LY_reputation_on_acquisition[6]={0.25,0.5,0.78,1.0,1.22,1.4};
#if LKMODE==0
#define LK_reputation_on_acquisition(x) lk_search(x,LX_reputation_on_acquisition,LY_reputation_on_acquisition,6)
#elif LKMODE==1
static const double LA_reputation_on_acquisition[5]={0.25,0.21999999999999997,0.33999999999999997,0.3400000000000004,0.5};static const double LB_reputation_on_acquisition[5]={1.25,1.4000000000000001,1.1,1.0999999999999994,0.8999999999999999};
#define LK_reputation_on_acquisition(x) lk_grid(x,0.0,1.0,5.0,4,LA_reputation_on_acquisition,LB_reputation_on_acquisition)
#elif LKMODE==2
template<class R> static inline __attribute__((always_inline)) R LK_reputation_on_acquisition(R x){ x=MIN(MAX(x,0.0),1.0); return 0.25+(1.25)*(x-(0.0))+(0.15000000000000013)*MAX(x-(0.2),0.0)+(-0.30000000000000004)*MAX(x-(0.4),0.0)+(-6.661338147750939e-16)*MAX(x-(0.6),0.0)+(-0.1999999999999995)*MAX(x-(0.8),0.0); }
#else
static const double LA_reputation_on_acquisition[5]={0.25,0.21999999999999997,0.33999999999999997,0.3400000000000004,0.5};static const double LB_reputation_on_acquisition[5]={1.25,1.4000000000000001,1.1,1.0999999999999994,0.8999999999999999};
static inline __attribute__((always_inline)) double LK_reputation_on_acquisition(double x){ x=MIN(MAX(x,0.0),1.0); int i=(x>0.2)+(x>0.4)+(x>0.6)+(x>0.8); return LA_reputation_on_acquisition[i]+LB_reputation_on_acquisition[i]*x; }
#if LANES>1
static inline __attribute__((always_inline)) V LK_reputation_on_acquisition(V x){ x=MIN(MAX(x,0.0),1.0); VI i=-((x>0.2)+(x>0.4)+(x>0.6)+(x>0.8)); V r; for(int q=0;q<LANES/4;q++){ __m256i j; memcpy(&j,(int64_t*)&i+4*q,32); D4 z=(D4)_mm256_i64gather_pd(LA_reputation_on_acquisition,j,8)+(D4)_mm256_i64gather_pd(LB_reputation_on_acquisition,j,8)*g4(x,q); memcpy((double*)&r+4*q,&z,32);} return r; }
#endif
#endif
static const double LX_marketing_response[7]={0.0,0.5,1.0,1.5,2.0,3.0,4.0};
static const double LY_marketing_response[7]={0.2,0.62,1.0,1.28,1.48,1.72,1.82};
#if LKMODE==0
#define LK_marketing_response(x) lk_search(x,LX_marketing_response,LY_marketing_response,7)
#elif LKMODE==1
static const double LA_marketing_response[8]={0.2,0.24,0.43999999999999995,0.6800000000000002,1.0,1.0,1.4199999999999997,1.4199999999999997};static const double LB_marketing_response[8]={0.84,0.76,0.56,0.3999999999999999,0.24,0.24,0.10000000000000009,0.10000000000000009};
#define LK_marketing_response(x) lk_grid(x,0.0,4.0,2.0,7,LA_marketing_response,LB_marketing_response)
#elif LKMODE==2
template<class R> static inline __attribute__((always_inline)) R LK_marketing_response(R x){ x=MIN(MAX(x,0.0),4.0); return 0.2+(0.84)*(x-(0.0))+(-0.07999999999999996)*MAX(x-(0.5),0.0)+(-0.19999999999999996)*MAX(x-(1.0),0.0)+(-0.16000000000000014)*MAX(x-(1.5),0.0)+(-0.15999999999999992)*MAX(x-(2.0),0.0)+(-0.1399999999999999)*MAX(x-(3.0),0.0); }
#else
static const double LA_marketing_response[6]={0.2,0.24,0.43999999999999995,0.6800000000000002,1.0,1.4199999999999997};static const double LB_marketing_response[6]={0.84,0.76,0.56,0.3999999999999999,0.24,0.10000000000000009};
static inline __attribute__((always_inline)) double LK_marketing_response(double x){ x=MIN(MAX(x,0.0),4.0); int i=(x>0.5)+(x>1.0)+(x>1.5)+(x>2.0)+(x>3.0); return LA_marketing_response[i]+LB_marketing_response[i]*x; }
#if LANES>1
static inline __attribute__((always_inline)) V LK_marketing_response(V x){ x=MIN(MAX(x,0.0),4.0); VI i=-((x>0.5)+(x>1.0)+(x>1.5)+(x>2.0)+(x>3.0)); V r; for(int q=0;q<LANES/4;q++){ __m256i j; memcpy(&j,(int64_t*)&i+4*q,32); D4 z=(D4)_mm256_i64gather_pd(LA_marketing_response,j,8)+(D4)_mm256_i64gather_pd(LB_marketing_response,j,8)*g4(x,q); memcpy((double*)&r+4*q,&z,32);} return r; }
#endif
#endif
static const double LX_delivery_on_churn[7]={0.0,0.5,1.0,1.5,2.0,3.0,4.0};
static const double LY_delivery_on_churn[7]={0.85,0.9,1.0,1.25,1.7,2.8,3.6};
#if LKMODE==0
#define LK_delivery_on_churn(x) lk_search(x,LX_delivery_on_churn,LY_delivery_on_churn,7)
#elif LKMODE==1
static const double LA_delivery_on_churn[8]={0.85,0.8,0.5,-0.09999999999999987,-0.4999999999999998,-0.4999999999999998,0.399999999999999,0.399999999999999};static const double LB_delivery_on_churn[8]={0.10000000000000009,0.19999999999999996,0.5,0.8999999999999999,1.0999999999999999,1.0999999999999999,0.8000000000000003,0.8000000000000003};
#define LK_delivery_on_churn(x) lk_grid(x,0.0,4.0,2.0,7,LA_delivery_on_churn,LB_delivery_on_churn)
#elif LKMODE==2
template<class R> static inline __attribute__((always_inline)) R LK_delivery_on_churn(R x){ x=MIN(MAX(x,0.0),4.0); return 0.85+(0.10000000000000009)*(x-(0.0))+(0.09999999999999987)*MAX(x-(0.5),0.0)+(0.30000000000000004)*MAX(x-(1.0),0.0)+(0.3999999999999999)*MAX(x-(1.5),0.0)+(0.19999999999999996)*MAX(x-(2.0),0.0)+(-0.2999999999999996)*MAX(x-(3.0),0.0); }
#else
static const double LA_delivery_on_churn[6]={0.85,0.8,0.5,-0.09999999999999987,-0.4999999999999998,0.399999999999999};static const double LB_delivery_on_churn[6]={0.10000000000000009,0.19999999999999996,0.5,0.8999999999999999,1.0999999999999999,0.8000000000000003};
static inline __attribute__((always_inline)) double LK_delivery_on_churn(double x){ x=MIN(MAX(x,0.0),4.0); int i=(x>0.5)+(x>1.0)+(x>1.5)+(x>2.0)+(x>3.0); return LA_delivery_on_churn[i]+LB_delivery_on_churn[i]*x; }
#if LANES>1
static inline __attribute__((always_inline)) V LK_delivery_on_churn(V x){ x=MIN(MAX(x,0.0),4.0); VI i=-((x>0.5)+(x>1.0)+(x>1.5)+(x>2.0)+(x>3.0)); V r; for(int q=0;q<LANES/4;q++){ __m256i j; memcpy(&j,(int64_t*)&i+4*q,32); D4 z=(D4)_mm256_i64gather_pd(LA_delivery_on_churn,j,8)+(D4)_mm256_i64gather_pd(LB_delivery_on_churn,j,8)*g4(x,q); memcpy((double*)&r+4*q,&z,32);} return r; }
#endif
#endif
static const double LX_order_fulfilment[11]={0.0,0.2,0.4,0.6,0.8,1.0,1.2,1.4,1.6,1.8,2.0};
static const double LY_order_fulfilment[11]={0.0,0.2,0.4,0.58,0.73,0.85,0.93,0.97,0.99,1.0,1.0};
#if LKMODE==0
#define LK_order_fulfilment(x) lk_search(x,LX_order_fulfilment,LY_order_fulfilment,11)
#elif LKMODE==1
static const double LA_order_fulfilment[10]={0.0,0.0,0.040000000000000036,0.13000000000000006,0.2499999999999999,0.4499999999999995,0.6900000000000004,0.83,0.9099999999999999,1.0};static const double LB_order_fulfilment[10]={1.0,1.0,0.8999999999999999,0.7499999999999999,0.6000000000000001,0.40000000000000047,0.19999999999999968,0.1,0.05000000000000006,0.0};
#define LK_order_fulfilment(x) lk_grid(x,0.0,2.0,5.0,9,LA_order_fulfilment,LB_order_fulfilment)
#elif LKMODE==2
template<class R> static inline __attribute__((always_inline)) R LK_order_fulfilment(R x){ x=MIN(MAX(x,0.0),2.0); return 0.0+(1.0)*(x-(0.0))+(0.0)*MAX(x-(0.2),0.0)+(-0.10000000000000009)*MAX(x-(0.4),0.0)+(-0.15000000000000002)*MAX(x-(0.6),0.0)+(-0.1499999999999998)*MAX(x-(0.8),0.0)+(-0.19999999999999962)*MAX(x-(1.0),0.0)+(-0.2000000000000008)*MAX(x-(1.2),0.0)+(-0.09999999999999967)*MAX(x-(1.4),0.0)+(-0.04999999999999995)*MAX(x-(1.6),0.0)+(-0.05000000000000006)*MAX(x-(1.8),0.0); }
#else
static const double LA_order_fulfilment[10]={0.0,0.0,0.040000000000000036,0.13000000000000006,0.2499999999999999,0.4499999999999995,0.6900000000000004,0.83,0.9099999999999999,1.0};static const double LB_order_fulfilment[10]={1.0,1.0,0.8999999999999999,0.7499999999999999,0.6000000000000001,0.40000000000000047,0.19999999999999968,0.1,0.05000000000000006,0.0};
static inline __attribute__((always_inline)) double LK_order_fulfilment(double x){ x=MIN(MAX(x,0.0),2.0); int i=(x>0.2)+(x>0.4)+(x>0.6)+(x>0.8)+(x>1.0)+(x>1.2)+(x>1.4)+(x>1.6)+(x>1.8); return LA_order_fulfilment[i]+LB_order_fulfilment[i]*x; }
#if LANES>1
static inline __attribute__((always_inline)) V LK_order_fulfilment(V x){ x=MIN(MAX(x,0.0),2.0); VI i=-((x>0.2)+(x>0.4)+(x>0.6)+(x>0.8)+(x>1.0)+(x>1.2)+(x>1.4)+(x>1.6)+(x>1.8)); V r; for(int q=0;q<LANES/4;q++){ __m256i j; memcpy(&j,(int64_t*)&i+4*q,32); D4 z=(D4)_mm256_i64gather_pd(LA_order_fulfilment,j,8)+(D4)_mm256_i64gather_pd(LB_order_fulfilment,j,8)*g4(x,q); memcpy((double*)&r+4*q,&z,32);} return r; }
#endif
#endif
static const double LX_delivery_on_reputation[7]={0.0,0.5,1.0,1.5,2.0,2.5,3.0};
static const double LY_delivery_on_reputation[7]={1.0,0.9,0.72,0.5,0.32,0.18,0.1};
#if LKMODE==0
#define LK_delivery_on_reputation(x) lk_search(x,LX_delivery_on_reputation,LY_delivery_on_reputation,7)
#elif LKMODE==1
static const double LA_delivery_on_reputation[6]={1.0,1.08,1.16,1.04,0.8800000000000001,0.5799999999999998};static const double LB_delivery_on_reputation[6]={-0.19999999999999996,-0.3600000000000001,-0.43999999999999995,-0.36,-0.28,-0.15999999999999998};
#define LK_delivery_on_reputation(x) lk_grid(x,0.0,3.0,2.0,5,LA_delivery_on_reputation,LB_delivery_on_reputation)
#elif LKMODE==2
template<class R> static inline __attribute__((always_inline)) R LK_delivery_on_reputation(R x){ x=MIN(MAX(x,0.0),3.0); return 1.0+(-0.19999999999999996)*(x-(0.0))+(-0.16000000000000014)*MAX(x-(0.5),0.0)+(-0.07999999999999985)*MAX(x-(1.0),0.0)+(0.07999999999999996)*MAX(x-(1.5),0.0)+(0.07999999999999996)*MAX(x-(2.0),0.0)+(0.12000000000000005)*MAX(x-(2.5),0.0); }
#else
static const double LA_delivery_on_reputation[6]={1.0,1.08,1.16,1.04,0.8800000000000001,0.5799999999999998};static const double LB_delivery_on_reputation[6]={-0.19999999999999996,-0.3600000000000001,-0.43999999999999995,-0.36,-0.28,-0.15999999999999998};
static inline __attribute__((always_inline)) double LK_delivery_on_reputation(double x){ x=MIN(MAX(x,0.0),3.0); int i=(x>0.5)+(x>1.0)+(x>1.5)+(x>2.0)+(x>2.5); return LA_delivery_on_reputation[i]+LB_delivery_on_reputation[i]*x; }
#if LANES>1
static inline __attribute__((always_inline)) V LK_delivery_on_reputation(V x){ x=MIN(MAX(x,0.0),3.0); VI i=-((x>0.5)+(x>1.0)+(x>1.5)+(x>2.0)+(x>2.5)); V r; for(int q=0;q<LANES/4;q++){ __m256i j; memcpy(&j,(int64_t*)&i+4*q,32); D4 z=(D4)_mm256_i64gather_pd(LA_delivery_on_reputation,j,8)+(D4)_mm256_i64gather_pd(LB_delivery_on_reputation,j,8)*g4(x,q); memcpy((double*)&r+4*q,&z,32);} return r; }
#endif
#endif
static const double LX_capacity_utilisation[8]={0.0,0.25,0.5,0.75,1.0,1.25,1.5,2.0};
static const double LY_capacity_utilisation[8]={0.0,0.27,0.53,0.77,0.95,1.06,1.12,1.15};
#if LKMODE==0
#define LK_capacity_utilisation(x) lk_search(x,LX_capacity_utilisation,LY_capacity_utilisation,8)
#elif LKMODE==1
static const double LA_capacity_utilisation[8]={0.0,0.010000000000000009,0.050000000000000044,0.2300000000000002,0.5099999999999996,0.7599999999999998,1.0300000000000007,1.0300000000000007};static const double LB_capacity_utilisation[8]={1.08,1.04,0.96,0.7199999999999998,0.4400000000000004,0.2400000000000002,0.05999999999999961,0.05999999999999961};
#define LK_capacity_utilisation(x) lk_grid(x,0.0,2.0,4.0,7,LA_capacity_utilisation,LB_capacity_utilisation)
#elif LKMODE==2
template<class R> static inline __attribute__((always_inline)) R LK_capacity_utilisation(R x){ x=MIN(MAX(x,0.0),2.0); return 0.0+(1.08)*(x-(0.0))+(-0.040000000000000036)*MAX(x-(0.25),0.0)+(-0.08000000000000007)*MAX(x-(0.5),0.0)+(-0.2400000000000002)*MAX(x-(0.75),0.0)+(-0.27999999999999936)*MAX(x-(1.0),0.0)+(-0.20000000000000018)*MAX(x-(1.25),0.0)+(-0.1800000000000006)*MAX(x-(1.5),0.0); }
#else
static const double LA_capacity_utilisation[7]={0.0,0.010000000000000009,0.050000000000000044,0.2300000000000002,0.5099999999999996,0.7599999999999998,1.0300000000000007};static const double LB_capacity_utilisation[7]={1.08,1.04,0.96,0.7199999999999998,0.4400000000000004,0.2400000000000002,0.05999999999999961};
static inline __attribute__((always_inline)) double LK_capacity_utilisation(double x){ x=MIN(MAX(x,0.0),2.0); int i=(x>0.25)+(x>0.5)+(x>0.75)+(x>1.0)+(x>1.25)+(x>1.5); return LA_capacity_utilisation[i]+LB_capacity_utilisation[i]*x; }
#if LANES>1
static inline __attribute__((always_inline)) V LK_capacity_utilisation(V x){ x=MIN(MAX(x,0.0),2.0); VI i=-((x>0.25)+(x>0.5)+(x>0.75)+(x>1.0)+(x>1.25)+(x>1.5)); V r; for(int q=0;q<LANES/4;q++){ __m256i j; memcpy(&j,(int64_t*)&i+4*q,32); D4 z=(D4)_mm256_i64gather_pd(LA_capacity_utilisation,j,8)+(D4)_mm256_i64gather_pd(LB_capacity_utilisation,j,8)*g4(x,q); memcpy((double*)&r+4*q,&z,32);} return r; }
#endif
#endif
static const double LX_pressure_on_quits[6]={0.0,0.5,1.0,1.25,1.5,2.0};
static const double LY_pressure_on_quits[6]={1.4,1.15,1.0,1.12,1.45,2.3};
#if LKMODE==0
#define LK_pressure_on_quits(x) lk_search(x,LX_pressure_on_quits,LY_pressure_on_quits,6)
#elif LKMODE==1
static const double LA_pressure_on_quits[8]={1.4,1.4,1.2999999999999998,1.2999999999999998,0.5199999999999996,-0.5299999999999991,-1.0999999999999999,-1.0999999999999999};static const double LB_pressure_on_quits[8]={-0.5,-0.5,-0.2999999999999998,-0.2999999999999998,0.4800000000000004,1.3199999999999994,1.6999999999999997,1.6999999999999997};
#define LK_pressure_on_quits(x) lk_grid(x,0.0,2.0,4.0,7,LA_pressure_on_quits,LB_pressure_on_quits)
#elif LKMODE==2
template<class R> static inline __attribute__((always_inline)) R LK_pressure_on_quits(R x){ x=MIN(MAX(x,0.0),2.0); return 1.4+(-0.5)*(x-(0.0))+(0.20000000000000018)*MAX(x-(0.5),0.0)+(0.7800000000000002)*MAX(x-(1.0),0.0)+(0.839999999999999)*MAX(x-(1.25),0.0)+(0.38000000000000034)*MAX(x-(1.5),0.0); }
#else
static const double LA_pressure_on_quits[5]={1.4,1.2999999999999998,0.5199999999999996,-0.5299999999999991,-1.0999999999999999};static const double LB_pressure_on_quits[5]={-0.5,-0.2999999999999998,0.4800000000000004,1.3199999999999994,1.6999999999999997};
static inline __attribute__((always_inline)) double LK_pressure_on_quits(double x){ x=MIN(MAX(x,0.0),2.0); int i=(x>0.5)+(x>1.0)+(x>1.25)+(x>1.5); return LA_pressure_on_quits[i]+LB_pressure_on_quits[i]*x; }
#if LANES>1
static inline __attribute__((always_inline)) V LK_pressure_on_quits(V x){ x=MIN(MAX(x,0.0),2.0); VI i=-((x>0.5)+(x>1.0)+(x>1.25)+(x>1.5)); V r; for(int q=0;q<LANES/4;q++){ __m256i j; memcpy(&j,(int64_t*)&i+4*q,32); D4 z=(D4)_mm256_i64gather_pd(LA_pressure_on_quits,j,8)+(D4)_mm256_i64gather_pd(LB_pressure_on_quits,j,8)*g4(x,q); memcpy((double*)&r+4*q,&z,32);} return r; }
#endif
#endif
static const double LX_cash_on_hiring[6]={-1.0,0.0,0.5,1.0,1.5,2.0};
static const double LY_cash_on_hiring[6]={0.0,0.1,0.45,0.9,1.0,1.0};
#if LKMODE==0
#define LK_cash_on_hiring(x) lk_search(x,LX_cash_on_hiring,LY_cash_on_hiring,6)
#elif LKMODE==1
static const double LA_cash_on_hiring[6]={0.1,0.1,0.1,0.0,0.7000000000000001,1.0};static const double LB_cash_on_hiring[6]={0.1,0.1,0.7,0.9,0.19999999999999996,0.0};
#define LK_cash_on_hiring(x) lk_grid(x,-1.0,2.0,2.0,5,LA_cash_on_hiring,LB_cash_on_hiring)
#elif LKMODE==2
template<class R> static inline __attribute__((always_inline)) R LK_cash_on_hiring(R x){ x=MIN(MAX(x,-1.0),2.0); return 0.0+(0.1)*(x-(-1.0))+(0.6)*MAX(x-(0.0),0.0)+(0.20000000000000007)*MAX(x-(0.5),0.0)+(-0.7000000000000001)*MAX(x-(1.0),0.0)+(-0.19999999999999996)*MAX(x-(1.5),0.0); }
#else
static const double LA_cash_on_hiring[5]={0.1,0.1,0.0,0.7000000000000001,1.0};static const double LB_cash_on_hiring[5]={0.1,0.7,0.9,0.19999999999999996,0.0};
static inline __attribute__((always_inline)) double LK_cash_on_hiring(double x){ x=MIN(MAX(x,-1.0),2.0); int i=(x>0.0)+(x>0.5)+(x>1.0)+(x>1.5); return LA_cash_on_hiring[i]+LB_cash_on_hiring[i]*x; }
#if LANES>1
static inline __attribute__((always_inline)) V LK_cash_on_hiring(V x){ x=MIN(MAX(x,-1.0),2.0); VI i=-((x>0.0)+(x>0.5)+(x>1.0)+(x>1.5)); V r; for(int q=0;q<LANES/4;q++){ __m256i j; memcpy(&j,(int64_t*)&i+4*q,32); D4 z=(D4)_mm256_i64gather_pd(LA_cash_on_hiring,j,8)+(D4)_mm256_i64gather_pd(LB_cash_on_hiring,j,8)*g4(x,q); memcpy((double*)&r+4*q,&z,32);} return r; }
#endif
#endif
static const double LX_cash_on_investment[7]={-1.0,0.0,0.5,1.0,1.5,2.0,3.0};
static const double LY_cash_on_investment[7]={0.0,0.05,0.35,0.8,1.0,1.1,1.2};
#if LKMODE==0
#define LK_cash_on_investment(x) lk_search(x,LX_cash_on_investment,LY_cash_on_investment,7)
#elif LKMODE==1
static const double LA_cash_on_investment[8]={0.05,0.05,0.05,-0.10000000000000009,0.40000000000000013,0.6999999999999997,0.9000000000000004,0.9000000000000004};static const double LB_cash_on_investment[8]={0.05,0.05,0.6,0.9000000000000001,0.3999999999999999,0.20000000000000018,0.09999999999999987,0.09999999999999987};
#define LK_cash_on_investment(x) lk_grid(x,-1.0,3.0,2.0,7,LA_cash_on_investment,LB_cash_on_investment)
#elif LKMODE==2
template<class R> static inline __attribute__((always_inline)) R LK_cash_on_investment(R x){ x=MIN(MAX(x,-1.0),3.0); return 0.0+(0.05)*(x-(-1.0))+(0.5499999999999999)*MAX(x-(0.0),0.0)+(0.30000000000000016)*MAX(x-(0.5),0.0)+(-0.5000000000000002)*MAX(x-(1.0),0.0)+(-0.19999999999999973)*MAX(x-(1.5),0.0)+(-0.10000000000000031)*MAX(x-(2.0),0.0); }
#else
static const double LA_cash_on_investment[6]={0.05,0.05,-0.10000000000000009,0.40000000000000013,0.6999999999999997,0.9000000000000004};static const double LB_cash_on_investment[6]={0.05,0.6,0.9000000000000001,0.3999999999999999,0.20000000000000018,0.09999999999999987};
static inline __attribute__((always_inline)) double LK_cash_on_investment(double x){ x=MIN(MAX(x,-1.0),3.0); int i=(x>0.0)+(x>0.5)+(x>1.0)+(x>1.5)+(x>2.0); return LA_cash_on_investment[i]+LB_cash_on_investment[i]*x; }
#if LANES>1
static inline __attribute__((always_inline)) V LK_cash_on_investment(V x){ x=MIN(MAX(x,-1.0),3.0); VI i=-((x>0.0)+(x>0.5)+(x>1.0)+(x>1.5)+(x>2.0)); V r; for(int q=0;q<LANES/4;q++){ __m256i j; memcpy(&j,(int64_t*)&i+4*q,32); D4 z=(D4)_mm256_i64gather_pd(LA_cash_on_investment,j,8)+(D4)_mm256_i64gather_pd(LB_cash_on_investment,j,8)*g4(x,q); memcpy((double*)&r+4*q,&z,32);} return r; }
#endif
#endif
static const double LX_project_success[6]={0.0,0.5,1.0,1.5,2.0,3.0};
static const double LY_project_success[6]={0.2,0.4,0.6,0.74,0.82,0.9};
#if LKMODE==0
#define LK_project_success(x) lk_search(x,LX_project_success,LY_project_success,6)
#elif LKMODE==1
static const double LA_project_success[6]={0.2,0.20000000000000007,0.31999999999999995,0.5000000000000001,0.6599999999999998,0.6599999999999998};static const double LB_project_success[6]={0.4,0.3999999999999999,0.28,0.15999999999999992,0.08000000000000007,0.08000000000000007};
#define LK_project_success(x) lk_grid(x,0.0,3.0,2.0,5,LA_project_success,LB_project_success)
#elif LKMODE==2
template<class R> static inline __attribute__((always_inline)) R LK_project_success(R x){ x=MIN(MAX(x,0.0),3.0); return 0.2+(0.4)*(x-(0.0))+(-1.1102230246251565e-16)*MAX(x-(0.5),0.0)+(-0.11999999999999988)*MAX(x-(1.0),0.0)+(-0.1200000000000001)*MAX(x-(1.5),0.0)+(-0.07999999999999985)*MAX(x-(2.0),0.0); }
#else
static const double LA_project_success[5]={0.2,0.20000000000000007,0.31999999999999995,0.5000000000000001,0.6599999999999998};static const double LB_project_success[5]={0.4,0.3999999999999999,0.28,0.15999999999999992,0.08000000000000007};
static inline __attribute__((always_inline)) double LK_project_success(double x){ x=MIN(MAX(x,0.0),3.0); int i=(x>0.5)+(x>1.0)+(x>1.5)+(x>2.0); return LA_project_success[i]+LB_project_success[i]*x; }
#if LANES>1
static inline __attribute__((always_inline)) V LK_project_success(V x){ x=MIN(MAX(x,0.0),3.0); VI i=-((x>0.5)+(x>1.0)+(x>1.5)+(x>2.0)); V r; for(int q=0;q<LANES/4;q++){ __m256i j; memcpy(&j,(int64_t*)&i+4*q,32); D4 z=(D4)_mm256_i64gather_pd(LA_project_success,j,8)+(D4)_mm256_i64gather_pd(LB_project_success,j,8)*g4(x,q); memcpy((double*)&r+4*q,&z,32);} return r; }
#endif
#endif
static const double LX_quality_on_churn[6]={0.4,0.7,1.0,1.3,1.6,2.0};
static const double LY_quality_on_churn[6]={1.7,1.3,1.0,0.8,0.68,0.6};
#if LKMODE==0
#define LK_quality_on_churn(x) lk_search(x,LX_quality_on_churn,LY_quality_on_churn,6)
#elif LKMODE==1
static const double LA_quality_on_churn[16]={2.2333333333333334,2.2333333333333334,2.2333333333333334,2.0,2.0,2.0,1.6666666666666665,1.6666666666666665,1.6666666666666665,1.3199999999999998,1.3199999999999998,1.3199999999999998,1.0000000000000004,1.0000000000000004,1.0000000000000004,1.0000000000000004};static const double LB_quality_on_churn[16]={-1.3333333333333333,-1.3333333333333333,-1.3333333333333333,-1.0,-1.0,-1.0,-0.6666666666666664,-0.6666666666666664,-0.6666666666666664,-0.3999999999999999,-0.3999999999999999,-0.3999999999999999,-0.20000000000000023,-0.20000000000000023,-0.20000000000000023,-0.20000000000000023};
#define LK_quality_on_churn(x) lk_grid(x,0.4,2.0,10.0,15,LA_quality_on_churn,LB_quality_on_churn)
#elif LKMODE==2
template<class R> static inline __attribute__((always_inline)) R LK_quality_on_churn(R x){ x=MIN(MAX(x,0.4),2.0); return 1.7+(-1.3333333333333333)*(x-(0.4))+(0.33333333333333326)*MAX(x-(0.7),0.0)+(0.3333333333333336)*MAX(x-(1.0),0.0)+(0.2666666666666665)*MAX(x-(1.3),0.0)+(0.19999999999999968)*MAX(x-(1.6),0.0); }
#else
static const double LA_quality_on_churn[5]={2.2333333333333334,2.0,1.6666666666666665,1.3199999999999998,1.0000000000000004};static const double LB_quality_on_churn[5]={-1.3333333333333333,-1.0,-0.6666666666666664,-0.3999999999999999,-0.20000000000000023};
static inline __attribute__((always_inline)) double LK_quality_on_churn(double x){ x=MIN(MAX(x,0.4),2.0); int i=(x>0.7)+(x>1.0)+(x>1.3)+(x>1.6); return LA_quality_on_churn[i]+LB_quality_on_churn[i]*x; }
#if LANES>1
static inline __attribute__((always_inline)) V LK_quality_on_churn(V x){ x=MIN(MAX(x,0.4),2.0); VI i=-((x>0.7)+(x>1.0)+(x>1.3)+(x>1.6)); V r; for(int q=0;q<LANES/4;q++){ __m256i j; memcpy(&j,(int64_t*)&i+4*q,32); D4 z=(D4)_mm256_i64gather_pd(LA_quality_on_churn,j,8)+(D4)_mm256_i64gather_pd(LB_quality_on_churn,j,8)*g4(x,q); memcpy((double*)&r+4*q,&z,32);} return r; }
#endif
#endif
#define C_initial_potential_customers 9000.0
#define C_initial_customers 1500.0
#define C_market_growth_rate 0.0015
#define C_advertising_effectiveness 0.0035
#define C_min_acquisition_time 3.0
#define C_max_churn_rate 0.15
#define C_win_back_fraction 0.5
#define C_base_units_per_customer 1.2
#define C_usage_price_elasticity 0.35
#define C_seasonal_amplitude 0.06
#define C_shock_start 48.0
#define C_shock_duration 9.0
#define C_reference_price 100.0
#define C_competitor_price_trend 0.0008
#define C_min_markup 0.08
#define C_price_adjustment_time 5.0
#define C_cost_perception_time 4.0
#define C_initial_backlog 1900.0
#define C_initial_inventory 1500.0
#define C_target_delivery_time 1.0
#define C_min_order_processing_time 0.5
#define C_inventory_coverage 0.6
#define C_inventory_adjustment_time 2.0
#define C_backlog_adjustment_time 2.0
#define C_order_smoothing_time 3.0
#define C_delivery_perception_time 3.0
#define C_initial_rookies 3.0
#define C_initial_experienced 19.0
#define C_rookie_productivity_fraction 0.45
#define C_base_productivity 92.0
#define C_learning_exponent 0.22
#define C_workforce_adjustment_time 4.0
#define C_assimilation_time 9.0
#define C_rookie_quit_rate 0.025
#define C_base_quit_rate 0.01
#define C_pressure_perception_time 4.0
#define C_critical_cash_coverage 0.4
#define C_layoff_fraction 0.04
#define C_workforce_slack 1.03
#define C_initial_capacity 2300.0
#define C_capacity_lifetime 96.0
#define C_capacity_cushion 0.12
#define C_capacity_adjustment_time 8.0
#define C_capacity_unit_cost 260.0
#define C_project_cost 12000.0
#define C_project_duration 8.0
#define C_initial_projects 5.2
#define C_program_start 24.0
#define C_program_duration 36.0
#define C_program_subsidy 6000.0
#define C_initial_quality 1.0
#define C_max_quality 2.0
#define C_improvement_per_project 0.035
#define C_obsolescence_time 40.0
#define C_initial_knowledge 100.0
#define C_knowledge_decay_time 60.0
#define C_learning_per_unit 0.0004
#define C_training_budget_per_head 90.0
#define C_training_effectiveness 0.00035
#define C_knowledge_per_project 0.45
#define C_initial_digital 0.1
#define C_digital_fraction 0.012
#define C_digital_scale 2500.0
#define C_digital_gain 0.012
#define C_digital_obsolescence_time 50.0
#define C_digital_productivity_effect 0.25
#define C_digital_saving 0.12
#define C_initial_reputation 0.6
#define C_delivery_weight 0.45
#define C_reputation_rise_time 14.0
#define C_reputation_fall_time 5.0
#define C_initial_cash 180000.0
#define C_initial_debt 60000.0
#define C_unit_material_cost 36.0
#define C_wage_rookie 2500.0
#define C_wage_experienced 3300.0
#define C_overhead_cost 26000.0
#define C_marketing_fraction 0.03
#define C_payment_delay 1.8
#define C_budget_averaging_time 6.0
#define C_tax_rate 0.25
#define C_annual_interest_rate 0.06
#define C_target_cash_coverage 1.2
#define C_cash_adjustment_time 3.0
#define C_credit_limit 220000.0
#define C_repayment_time 24.0
static const double C_h7_tau=C_project_duration/3.0;
static const double C_h9_tau=C_payment_delay/3.0;
#define DERIV_BODY \
const REAL v_market_inflow=Y(0)*C_market_growth_rate; \
const REAL v_total_market=Y(0)+Y(1); \
const REAL v_competitor_price=C_reference_price*EXP(C_competitor_price_trend*t); \
const REAL v_relative_price=Y(2)/v_competitor_price; \
const REAL v_price_effect_on_acquisition=POW(MAX(v_relative_price,0.05),(-PV(1))); \
const REAL v_price_effect_on_usage=POW(MAX(v_relative_price,0.05),(-C_usage_price_elasticity)); \
const REAL v_reputation_effect=LK_reputation_on_acquisition(Y(12)); \
const REAL v_word_of_mouth=PV(0)*Y(1)*Y(0)/MAX(v_total_market,1.0)*v_reputation_effect; \
const REAL v_recent_revenue=Y(28); \
const REAL v_marketing_spend=v_recent_revenue*C_marketing_fraction; \
const REAL v_relative_marketing=v_marketing_spend/(5000.0*v_competitor_price/C_reference_price); \
const REAL v_marketing_effect=LK_marketing_response(v_relative_marketing); \
const REAL v_advertising_acquisition=Y(0)*C_advertising_effectiveness*v_marketing_effect; \
const REAL v_demand_shock=sel(((t>=C_shock_start)&(t<C_shock_start+C_shock_duration)),(1.0-PV(7)),1.0); \
const REAL v_customer_acquisition=MIN((v_word_of_mouth+v_advertising_acquisition)*v_price_effect_on_acquisition*Y(9)*v_demand_shock,Y(0)/C_min_acquisition_time); \
const REAL v_perceived_delivery_time=Y(17); \
const REAL v_perceived_delivery_ratio=v_perceived_delivery_time/C_target_delivery_time; \
const REAL v_delivery_effect_on_churn=LK_delivery_on_churn(v_perceived_delivery_ratio); \
const REAL v_quality_effect_on_churn=LK_quality_on_churn(Y(9)); \
const REAL v_churn_rate=MIN(C_max_churn_rate,PV(6)*v_delivery_effect_on_churn*v_quality_effect_on_churn*v_relative_price); \
const REAL v_customer_loss=Y(1)*v_churn_rate; \
const REAL v_seasonality=1.0+C_seasonal_amplitude*SIN(0.5235987755982988*t); \
const REAL v_order_rate=Y(1)*C_base_units_per_customer*v_price_effect_on_usage*v_seasonality*v_demand_shock; \
const REAL v_h1_in=v_order_rate; \
const REAL v_expected_orders=Y(15); \
const REAL v_payroll=Y(5)*C_wage_rookie+Y(6)*C_wage_experienced; \
const REAL v_effective_staff=Y(6)+Y(5)*C_rookie_productivity_fraction; \
const REAL v_knowledge_ratio=Y(10)/C_initial_knowledge; \
const REAL v_productivity=C_base_productivity*POW(MAX(v_knowledge_ratio,0.1),C_learning_exponent)*(1.0+C_digital_productivity_effect*Y(11)); \
const REAL v_labour_capacity=v_effective_staff*v_productivity; \
const REAL v_feasible_production=MIN(v_labour_capacity,Y(7)); \
const REAL v_backlog_correction=(Y(3)-v_expected_orders*C_target_delivery_time)/C_backlog_adjustment_time; \
const REAL v_desired_inventory=v_expected_orders*C_inventory_coverage; \
const REAL v_inventory_correction=(v_desired_inventory-Y(4))/C_inventory_adjustment_time; \
const REAL v_desired_production=MAX(0.0,v_expected_orders+v_inventory_correction+v_backlog_correction); \
const REAL v_schedule_pressure=v_desired_production/MAX(v_feasible_production,1.0); \
const REAL v_production_rate=v_feasible_production*LK_capacity_utilisation(v_schedule_pressure); \
const REAL v_unit_cost=C_unit_material_cost*(1.0-C_digital_saving*Y(11))+(v_payroll+C_overhead_cost)/MAX(v_production_rate,100.0); \
const REAL v_h2_in=v_unit_cost; \
const REAL v_perceived_unit_cost=Y(16); \
const REAL v_backlog_ratio=Y(3)/MAX(v_expected_orders*C_target_delivery_time,1.0); \
const REAL v_scarcity_markup=0.04*MIN(2.0,MAX((-1.0),v_backlog_ratio-1.0)); \
const REAL v_target_price=MAX(v_perceived_unit_cost*(1.0+C_min_markup),v_competitor_price*PV(2)*(1.0+v_scarcity_markup)); \
const REAL v_price_change=(v_target_price-Y(2))/C_price_adjustment_time; \
const REAL v_desired_shipments=Y(3)/C_target_delivery_time; \
const REAL v_max_shipments=Y(4)/C_min_order_processing_time; \
const REAL v_shipment_rate=v_desired_shipments*LK_order_fulfilment(v_max_shipments/MAX(v_desired_shipments,1.0)); \
const REAL v_delivery_time=Y(3)/MAX(v_shipment_rate,1.0); \
const REAL v_h3_in=v_delivery_time; \
const REAL v_total_staff=Y(5)+Y(6); \
const REAL v_h4_in=v_schedule_pressure; \
const REAL v_perceived_pressure=Y(18); \
const REAL v_desired_staff=v_expected_orders*C_workforce_slack/v_productivity; \
const REAL v_rookie_quits=Y(5)*C_rookie_quit_rate; \
const REAL v_experienced_quits=Y(6)*C_base_quit_rate*LK_pressure_on_quits(v_perceived_pressure); \
const REAL v_material_spend=v_production_rate*C_unit_material_cost*(1.0-C_digital_saving*Y(11)); \
const REAL v_operating_cost=v_payroll+v_material_spend+C_overhead_cost; \
const REAL v_cash_coverage=Y(13)/MAX(v_operating_cost,1.0); \
const REAL v_authorised_hiring=MAX(0.0,v_rookie_quits+v_experienced_quits+(v_desired_staff-v_effective_staff)/C_workforce_adjustment_time)*LK_cash_on_hiring(v_cash_coverage); \
const REAL v_h5_in=v_authorised_hiring; \
const REAL v_h5_f1=Y(19)/PI(0); \
const REAL v_h5_f2=Y(20)/PI(0); \
const REAL v_h5_f3=Y(21)/PI(0); \
const REAL v_hiring_rate=v_h5_f3; \
const REAL v_assimilation_rate=Y(5)/C_assimilation_time; \
const REAL v_layoff_rate=sel((v_cash_coverage<C_critical_cash_coverage),(Y(6)*C_layoff_fraction),0.0); \
const REAL v_desired_capacity=v_expected_orders*(1.0+C_capacity_cushion); \
const REAL v_capacity_depreciation=Y(7)/C_capacity_lifetime; \
const REAL v_investment_effect=LK_cash_on_investment(v_cash_coverage); \
const REAL v_capacity_orders=MAX(0.0,v_capacity_depreciation+(v_desired_capacity-Y(7))/C_capacity_adjustment_time)*v_investment_effect; \
const REAL v_h6_in=v_capacity_orders; \
const REAL v_h6_f1=Y(22)/PI(1); \
const REAL v_h6_f2=Y(23)/PI(1); \
const REAL v_h6_f3=Y(24)/PI(1); \
const REAL v_capacity_installation=v_h6_f3; \
const REAL v_subsidy=sel(((t>=C_program_start)&(t<C_program_start+C_program_duration)),C_program_subsidy,0.0); \
const REAL v_rd_spend=v_recent_revenue*PV(3)*v_investment_effect+v_subsidy; \
const REAL v_project_starts=v_rd_spend/C_project_cost; \
const REAL v_h7_in=v_project_starts; \
const REAL v_h7_f1=Y(25)/C_h7_tau; \
const REAL v_h7_f2=Y(26)/C_h7_tau; \
const REAL v_h7_f3=Y(27)/C_h7_tau; \
const REAL v_project_completions=v_h7_f3; \
const REAL v_success_rate=LK_project_success(v_knowledge_ratio); \
const REAL v_quality_improvement=v_project_completions*v_success_rate*C_improvement_per_project*(1.0-Y(9)/C_max_quality); \
const REAL v_quality_erosion=Y(9)/C_obsolescence_time; \
const REAL v_training_spend=v_total_staff*C_training_budget_per_head*v_investment_effect; \
const REAL v_knowledge_gain=C_learning_per_unit*v_production_rate+v_training_spend*C_training_effectiveness+v_project_completions*C_knowledge_per_project; \
const REAL v_knowledge_loss=Y(10)/C_knowledge_decay_time+Y(10)*(v_experienced_quits+v_layoff_rate)/MAX(v_total_staff,1.0)*0.3; \
const REAL v_digital_spend=v_recent_revenue*C_digital_fraction*v_investment_effect; \
const REAL v_digital_build=C_digital_gain*LN(1.0+v_digital_spend/C_digital_scale)*(1.0-Y(11)); \
const REAL v_digital_erosion=Y(11)/C_digital_obsolescence_time; \
const REAL v_delivery_score=LK_delivery_on_reputation(v_perceived_delivery_ratio); \
const REAL v_quality_score=MIN(1.0,MAX(0.0,Y(9)/(v_relative_price*1.6))); \
const REAL v_indicated_reputation=C_delivery_weight*v_delivery_score+(1.0-C_delivery_weight)*v_quality_score; \
const REAL v_reputation_gap=v_indicated_reputation-Y(12); \
const REAL v_reputation_change=v_reputation_gap/sel((v_reputation_gap>0.0),C_reputation_rise_time,C_reputation_fall_time); \
const REAL v_revenue=v_shipment_rate*Y(2); \
const REAL v_h8_in=v_revenue; \
const REAL v_h9_in=v_revenue; \
const REAL v_h9_f1=Y(29)/C_h9_tau; \
const REAL v_h9_f2=Y(30)/C_h9_tau; \
const REAL v_h9_f3=Y(31)/C_h9_tau; \
const REAL v_collections=v_h9_f3; \
const REAL v_interest_payment=Y(14)*C_annual_interest_rate/12.0; \
const REAL v_capacity_spend=v_capacity_orders*C_capacity_unit_cost; \
const REAL v_discretionary_spend=v_marketing_spend+v_rd_spend+v_training_spend+v_digital_spend; \
const REAL v_tax_payment=MAX(0.0,v_revenue-v_operating_cost-v_interest_payment-v_discretionary_spend)*C_tax_rate; \
const REAL v_target_cash=v_operating_cost*C_target_cash_coverage; \
const REAL v_borrowing=MAX(0.0,MIN(v_target_cash-Y(13),C_credit_limit-Y(14)))/C_cash_adjustment_time; \
const REAL v_repayment=MAX(0.0,MIN(Y(14)/C_repayment_time,(Y(13)-v_target_cash)/C_cash_adjustment_time)); \
const REAL v_cash_inflow=v_collections+v_subsidy+v_borrowing; \
const REAL v_cash_outflow=v_operating_cost+v_discretionary_spend+v_capacity_spend+v_interest_payment+v_tax_payment+v_repayment; \
DY(0,v_market_inflow+v_customer_loss*C_win_back_fraction-v_customer_acquisition) \
DY(1,v_customer_acquisition-v_customer_loss) \
DY(2,v_price_change) \
DY(3,v_order_rate-v_shipment_rate) \
DY(4,v_production_rate-v_shipment_rate) \
DY(5,v_hiring_rate-v_assimilation_rate-v_rookie_quits) \
DY(6,v_assimilation_rate-v_experienced_quits-v_layoff_rate) \
DY(7,v_capacity_installation-v_capacity_depreciation) \
DY(8,v_project_starts-v_project_completions) \
DY(9,v_quality_improvement-v_quality_erosion) \
DY(10,v_knowledge_gain-v_knowledge_loss) \
DY(11,v_digital_build-v_digital_erosion) \
DY(12,v_reputation_change) \
DY(13,v_cash_inflow-v_cash_outflow) \
DY(14,v_borrowing-v_repayment) \
DY(15,(v_h1_in-Y(15))/C_order_smoothing_time) \
DY(16,(v_h2_in-Y(16))/C_cost_perception_time) \
DY(17,(v_h3_in-Y(17))/C_delivery_perception_time) \
DY(18,(v_h4_in-Y(18))/C_pressure_perception_time) \
DY(19,v_h5_in-v_h5_f1) \
DY(20,v_h5_f1-v_h5_f2) \
DY(21,v_h5_f2-v_h5_f3) \
DY(22,v_h6_in-v_h6_f1) \
DY(23,v_h6_f1-v_h6_f2) \
DY(24,v_h6_f2-v_h6_f3) \
DY(25,v_h7_in-v_h7_f1) \
DY(26,v_h7_f1-v_h7_f2) \
DY(27,v_h7_f2-v_h7_f3) \
DY(28,(v_h8_in-Y(28))/C_budget_averaging_time) \
DY(29,v_h9_in-v_h9_f1) \
DY(30,v_h9_f1-v_h9_f2) \
DY(31,v_h9_f2-v_h9_f3)
#define INV_BODY \
PIS(0,PV(5)/3.0) \
PIS(1,PV(4)/3.0)
#define INIT_BODY \
const REAL w_potential_customers=C_initial_potential_customers; \
const REAL w_market_inflow=w_potential_customers*C_market_growth_rate; \
const REAL w_customers=C_initial_customers; \
const REAL w_total_market=w_potential_customers+w_customers; \
const REAL w_competitor_price=C_reference_price*EXP(C_competitor_price_trend*t); \
const REAL w_price=C_reference_price; \
const REAL w_relative_price=w_price/w_competitor_price; \
const REAL w_price_effect_on_acquisition=POW(MAX(w_relative_price,0.05),(-PV(1))); \
const REAL w_price_effect_on_usage=POW(MAX(w_relative_price,0.05),(-C_usage_price_elasticity)); \
const REAL w_reputation=C_initial_reputation; \
const REAL w_reputation_effect=LK_reputation_on_acquisition(w_reputation); \
const REAL w_word_of_mouth=PV(0)*w_customers*w_potential_customers/MAX(w_total_market,1.0)*w_reputation_effect; \
const REAL w_order_backlog=C_initial_backlog; \
const REAL w_desired_shipments=w_order_backlog/C_target_delivery_time; \
const REAL w_inventory=C_initial_inventory; \
const REAL w_max_shipments=w_inventory/C_min_order_processing_time; \
const REAL w_shipment_rate=w_desired_shipments*LK_order_fulfilment(w_max_shipments/MAX(w_desired_shipments,1.0)); \
const REAL w_revenue=w_shipment_rate*w_price; \
const REAL w_h8_in=w_revenue; \
const REAL w_h8_s=w_h8_in; \
const REAL w_recent_revenue=w_h8_s; \
const REAL w_marketing_spend=w_recent_revenue*C_marketing_fraction; \
const REAL w_relative_marketing=w_marketing_spend/(5000.0*w_competitor_price/C_reference_price); \
const REAL w_marketing_effect=LK_marketing_response(w_relative_marketing); \
const REAL w_advertising_acquisition=w_potential_customers*C_advertising_effectiveness*w_marketing_effect; \
const REAL w_demand_shock=sel(((t>=C_shock_start)&(t<C_shock_start+C_shock_duration)),(1.0-PV(7)),1.0); \
const REAL w_quality=C_initial_quality; \
const REAL w_customer_acquisition=MIN((w_word_of_mouth+w_advertising_acquisition)*w_price_effect_on_acquisition*w_quality*w_demand_shock,w_potential_customers/C_min_acquisition_time); \
const REAL w_delivery_time=w_order_backlog/MAX(w_shipment_rate,1.0); \
const REAL w_h3_in=w_delivery_time; \
const REAL w_h3_s=w_h3_in; \
const REAL w_perceived_delivery_time=w_h3_s; \
const REAL w_perceived_delivery_ratio=w_perceived_delivery_time/C_target_delivery_time; \
const REAL w_delivery_effect_on_churn=LK_delivery_on_churn(w_perceived_delivery_ratio); \
const REAL w_quality_effect_on_churn=LK_quality_on_churn(w_quality); \
const REAL w_churn_rate=MIN(C_max_churn_rate,PV(6)*w_delivery_effect_on_churn*w_quality_effect_on_churn*w_relative_price); \
const REAL w_customer_loss=w_customers*w_churn_rate; \
const REAL w_seasonality=1.0+C_seasonal_amplitude*SIN(0.5235987755982988*t); \
const REAL w_order_rate=w_customers*C_base_units_per_customer*w_price_effect_on_usage*w_seasonality*w_demand_shock; \
const REAL w_h1_in=w_order_rate; \
const REAL w_h1_s=w_h1_in; \
const REAL w_expected_orders=w_h1_s; \
const REAL w_digital_capability=C_initial_digital; \
const REAL w_experienced_staff=C_initial_experienced; \
const REAL w_rookie_staff=C_initial_rookies; \
const REAL w_payroll=w_rookie_staff*C_wage_rookie+w_experienced_staff*C_wage_experienced; \
const REAL w_capacity=C_initial_capacity; \
const REAL w_effective_staff=w_experienced_staff+w_rookie_staff*C_rookie_productivity_fraction; \
const REAL w_knowledge=C_initial_knowledge; \
const REAL w_knowledge_ratio=w_knowledge/C_initial_knowledge; \
const REAL w_productivity=C_base_productivity*POW(MAX(w_knowledge_ratio,0.1),C_learning_exponent)*(1.0+C_digital_productivity_effect*w_digital_capability); \
const REAL w_labour_capacity=w_effective_staff*w_productivity; \
const REAL w_feasible_production=MIN(w_labour_capacity,w_capacity); \
const REAL w_backlog_correction=(w_order_backlog-w_expected_orders*C_target_delivery_time)/C_backlog_adjustment_time; \
const REAL w_desired_inventory=w_expected_orders*C_inventory_coverage; \
const REAL w_inventory_correction=(w_desired_inventory-w_inventory)/C_inventory_adjustment_time; \
const REAL w_desired_production=MAX(0.0,w_expected_orders+w_inventory_correction+w_backlog_correction); \
const REAL w_schedule_pressure=w_desired_production/MAX(w_feasible_production,1.0); \
const REAL w_production_rate=w_feasible_production*LK_capacity_utilisation(w_schedule_pressure); \
const REAL w_unit_cost=C_unit_material_cost*(1.0-C_digital_saving*w_digital_capability)+(w_payroll+C_overhead_cost)/MAX(w_production_rate,100.0); \
const REAL w_h2_in=w_unit_cost; \
const REAL w_h2_s=w_h2_in; \
const REAL w_perceived_unit_cost=w_h2_s; \
const REAL w_backlog_ratio=w_order_backlog/MAX(w_expected_orders*C_target_delivery_time,1.0); \
const REAL w_scarcity_markup=0.04*MIN(2.0,MAX((-1.0),w_backlog_ratio-1.0)); \
const REAL w_target_price=MAX(w_perceived_unit_cost*(1.0+C_min_markup),w_competitor_price*PV(2)*(1.0+w_scarcity_markup)); \
const REAL w_price_change=(w_target_price-w_price)/C_price_adjustment_time; \
const REAL w_total_staff=w_rookie_staff+w_experienced_staff; \
const REAL w_h4_in=w_schedule_pressure; \
const REAL w_h4_s=w_h4_in; \
const REAL w_perceived_pressure=w_h4_s; \
const REAL w_desired_staff=w_expected_orders*C_workforce_slack/w_productivity; \
const REAL w_rookie_quits=w_rookie_staff*C_rookie_quit_rate; \
const REAL w_experienced_quits=w_experienced_staff*C_base_quit_rate*LK_pressure_on_quits(w_perceived_pressure); \
const REAL w_cash=C_initial_cash; \
const REAL w_material_spend=w_production_rate*C_unit_material_cost*(1.0-C_digital_saving*w_digital_capability); \
const REAL w_operating_cost=w_payroll+w_material_spend+C_overhead_cost; \
const REAL w_cash_coverage=w_cash/MAX(w_operating_cost,1.0); \
const REAL w_authorised_hiring=MAX(0.0,w_rookie_quits+w_experienced_quits+(w_desired_staff-w_effective_staff)/C_workforce_adjustment_time)*LK_cash_on_hiring(w_cash_coverage); \
const REAL w_h5_in=w_authorised_hiring; \
const REAL w_h5_tau=PV(5)/3.0; \
const REAL w_h5_l1=w_h5_in*w_h5_tau; \
const REAL w_h5_f1=w_h5_l1/w_h5_tau; \
const REAL w_h5_l2=w_h5_in*w_h5_tau; \
const REAL w_h5_f2=w_h5_l2/w_h5_tau; \
const REAL w_h5_l3=w_h5_in*w_h5_tau; \
const REAL w_h5_f3=w_h5_l3/w_h5_tau; \
const REAL w_hiring_rate=w_h5_f3; \
const REAL w_assimilation_rate=w_rookie_staff/C_assimilation_time; \
const REAL w_layoff_rate=sel((w_cash_coverage<C_critical_cash_coverage),(w_experienced_staff*C_layoff_fraction),0.0); \
const REAL w_desired_capacity=w_expected_orders*(1.0+C_capacity_cushion); \
const REAL w_capacity_depreciation=w_capacity/C_capacity_lifetime; \
const REAL w_investment_effect=LK_cash_on_investment(w_cash_coverage); \
const REAL w_capacity_orders=MAX(0.0,w_capacity_depreciation+(w_desired_capacity-w_capacity)/C_capacity_adjustment_time)*w_investment_effect; \
const REAL w_h6_in=w_capacity_orders; \
const REAL w_h6_tau=PV(4)/3.0; \
const REAL w_h6_l1=w_h6_in*w_h6_tau; \
const REAL w_h6_f1=w_h6_l1/w_h6_tau; \
const REAL w_h6_l2=w_h6_in*w_h6_tau; \
const REAL w_h6_f2=w_h6_l2/w_h6_tau; \
const REAL w_h6_l3=w_h6_in*w_h6_tau; \
const REAL w_h6_f3=w_h6_l3/w_h6_tau; \
const REAL w_capacity_installation=w_h6_f3; \
const REAL w_subsidy=sel(((t>=C_program_start)&(t<C_program_start+C_program_duration)),C_program_subsidy,0.0); \
const REAL w_rd_spend=w_recent_revenue*PV(3)*w_investment_effect+w_subsidy; \
const REAL w_project_starts=w_rd_spend/C_project_cost; \
const REAL w_h7_in=w_project_starts; \
const REAL w_h7_tau=C_project_duration/3.0; \
const REAL w_h7_l1=w_h7_in*w_h7_tau; \
const REAL w_h7_f1=w_h7_l1/w_h7_tau; \
const REAL w_h7_l2=w_h7_in*w_h7_tau; \
const REAL w_h7_f2=w_h7_l2/w_h7_tau; \
const REAL w_h7_l3=w_h7_in*w_h7_tau; \
const REAL w_h7_f3=w_h7_l3/w_h7_tau; \
const REAL w_project_completions=w_h7_f3; \
const REAL w_success_rate=LK_project_success(w_knowledge_ratio); \
const REAL w_quality_improvement=w_project_completions*w_success_rate*C_improvement_per_project*(1.0-w_quality/C_max_quality); \
const REAL w_quality_erosion=w_quality/C_obsolescence_time; \
const REAL w_training_spend=w_total_staff*C_training_budget_per_head*w_investment_effect; \
const REAL w_knowledge_gain=C_learning_per_unit*w_production_rate+w_training_spend*C_training_effectiveness+w_project_completions*C_knowledge_per_project; \
const REAL w_knowledge_loss=w_knowledge/C_knowledge_decay_time+w_knowledge*(w_experienced_quits+w_layoff_rate)/MAX(w_total_staff,1.0)*0.3; \
const REAL w_digital_spend=w_recent_revenue*C_digital_fraction*w_investment_effect; \
const REAL w_digital_build=C_digital_gain*LN(1.0+w_digital_spend/C_digital_scale)*(1.0-w_digital_capability); \
const REAL w_digital_erosion=w_digital_capability/C_digital_obsolescence_time; \
const REAL w_delivery_score=LK_delivery_on_reputation(w_perceived_delivery_ratio); \
const REAL w_quality_score=MIN(1.0,MAX(0.0,w_quality/(w_relative_price*1.6))); \
const REAL w_indicated_reputation=C_delivery_weight*w_delivery_score+(1.0-C_delivery_weight)*w_quality_score; \
const REAL w_reputation_gap=w_indicated_reputation-w_reputation; \
const REAL w_reputation_change=w_reputation_gap/sel((w_reputation_gap>0.0),C_reputation_rise_time,C_reputation_fall_time); \
const REAL w_h9_in=w_revenue; \
const REAL w_h9_tau=C_payment_delay/3.0; \
const REAL w_h9_l1=w_h9_in*w_h9_tau; \
const REAL w_h9_f1=w_h9_l1/w_h9_tau; \
const REAL w_h9_l2=w_h9_in*w_h9_tau; \
const REAL w_h9_f2=w_h9_l2/w_h9_tau; \
const REAL w_h9_l3=w_h9_in*w_h9_tau; \
const REAL w_h9_f3=w_h9_l3/w_h9_tau; \
const REAL w_collections=w_h9_f3; \
const REAL w_debt=C_initial_debt; \
const REAL w_interest_payment=w_debt*C_annual_interest_rate/12.0; \
const REAL w_capacity_spend=w_capacity_orders*C_capacity_unit_cost; \
const REAL w_discretionary_spend=w_marketing_spend+w_rd_spend+w_training_spend+w_digital_spend; \
const REAL w_tax_payment=MAX(0.0,w_revenue-w_operating_cost-w_interest_payment-w_discretionary_spend)*C_tax_rate; \
const REAL w_target_cash=w_operating_cost*C_target_cash_coverage; \
const REAL w_borrowing=MAX(0.0,MIN(w_target_cash-w_cash,C_credit_limit-w_debt))/C_cash_adjustment_time; \
const REAL w_repayment=MAX(0.0,MIN(w_debt/C_repayment_time,(w_cash-w_target_cash)/C_cash_adjustment_time)); \
const REAL w_cash_inflow=w_collections+w_subsidy+w_borrowing; \
const REAL w_cash_outflow=w_operating_cost+w_discretionary_spend+w_capacity_spend+w_interest_payment+w_tax_payment+w_repayment; \
const REAL w_projects_in_progress=C_initial_projects; \
YS(0,w_potential_customers) \
YS(1,w_customers) \
YS(2,w_price) \
YS(3,w_order_backlog) \
YS(4,w_inventory) \
YS(5,w_rookie_staff) \
YS(6,w_experienced_staff) \
YS(7,w_capacity) \
YS(8,w_projects_in_progress) \
YS(9,w_quality) \
YS(10,w_knowledge) \
YS(11,w_digital_capability) \
YS(12,w_reputation) \
YS(13,w_cash) \
YS(14,w_debt) \
YS(15,w_h1_s) \
YS(16,w_h2_s) \
YS(17,w_h3_s) \
YS(18,w_h4_s) \
YS(19,w_h5_l1) \
YS(20,w_h5_l2) \
YS(21,w_h5_l3) \
YS(22,w_h6_l1) \
YS(23,w_h6_l2) \
YS(24,w_h6_l3) \
YS(25,w_h7_l1) \
YS(26,w_h7_l2) \
YS(27,w_h7_l3) \
YS(28,w_h8_s) \
YS(29,w_h9_l1) \
YS(30,w_h9_l2) \
YS(31,w_h9_l3)
