// Physical-limit kernel: straight-line generated equations, SoA lanes, explicit GCC vectors.
// A limit to hold sembada against: what a patient programmer would write by hand for one model. Built by c_peer.py.
// -DMODEL="sme.h" -DLANES=1|4|8|16 -DLKMODE=0..3 -DMATHMODE=0 libm,1 libmvec,2 own poly -DMETHOD=0 euler,1 rk4
#include <immintrin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <time.h>
#include <vector>
#include <algorithm>
#include <thread>
#ifndef LANES
#define LANES 4
#endif
#ifndef LKMODE
#define LKMODE 2
#endif
#ifndef MATHMODE
#define MATHMODE 2
#endif
#ifndef METHOD
#define METHOD 0
#endif
#ifndef AI
#define AI static inline __attribute__((always_inline))
#endif
#if LANES==1
typedef double V;
#endif
typedef double D4 __attribute__((vector_size(32)));
typedef int64_t I4 __attribute__((vector_size(32)));
#define AI0 inline __attribute__((always_inline))
#if LANES==4
typedef D4 V; typedef I4 VI;
#elif LANES>4
#define K4 (LANES/4)
struct VI{ I4 v[K4]; }; 
struct V{ D4 v[K4]; };
#define OPV(op) AI V operator op(const V&a,const V&b){V r;for(int i=0;i<K4;i++)r.v[i]=a.v[i] op b.v[i];return r;} AI V operator op(const V&a,double b){V r;for(int i=0;i<K4;i++)r.v[i]=a.v[i] op b;return r;} AI V operator op(double a,const V&b){V r;for(int i=0;i<K4;i++)r.v[i]=a op b.v[i];return r;}
OPV(+) OPV(-) OPV(*) OPV(/)
AI V operator-(const V&a){V r;for(int i=0;i<K4;i++)r.v[i]=-a.v[i];return r;}
#define CMPV(op) AI VI operator op(const V&a,const V&b){VI r;for(int i=0;i<K4;i++)r.v[i]=a.v[i] op b.v[i];return r;} AI VI operator op(const V&a,double b){VI r;for(int i=0;i<K4;i++)r.v[i]=a.v[i] op b;return r;} AI VI operator op(double a,const V&b){VI r;for(int i=0;i<K4;i++)r.v[i]=a op b.v[i];return r;}
CMPV(<) CMPV(>) CMPV(<=) CMPV(>=)
AI VI operator+(const VI&a,const VI&b){VI r;for(int i=0;i<K4;i++)r.v[i]=a.v[i]+b.v[i];return r;} AI VI operator-(const VI&a){VI r;for(int i=0;i<K4;i++)r.v[i]=-a.v[i];return r;}
#endif
#define REAL auto
AI double MINf(double a,double b){return a<b?a:b;} AI double MAXf(double a,double b){return a>b?a:b;}
AI double sel(bool c,double a,double b){return c?a:b;}
#if LANES==4
AI V bc(double x){ return x-(V){}; }
#elif LANES>4
AI V bc(double x){ V r; for(int i=0;i<K4;i++)r.v[i]=x-(D4){}; return r; }
#endif
#if LANES>1
AI V bc(V x){return x;}
AI D4 vsel(I4 c,D4 a,D4 b){return c?a:b;}
#if LANES==4
AI V MINf(V a,V b){return a<b?a:b;} AI V MAXf(V a,V b){return a>b?a:b;} AI V sel(VI c,V a,V b){return c?a:b;}
#else
AI V MINf(V a,V b){V r;for(int i=0;i<K4;i++)r.v[i]=vsel(a.v[i]<b.v[i],a.v[i],b.v[i]);return r;} AI V MAXf(V a,V b){V r;for(int i=0;i<K4;i++)r.v[i]=vsel(a.v[i]>b.v[i],a.v[i],b.v[i]);return r;} AI V sel(VI c,V a,V b){V r;for(int i=0;i<K4;i++)r.v[i]=vsel(c.v[i],a.v[i],b.v[i]);return r;}
#endif
AI V MINf(V a,double b){return MINf(a,bc(b));} AI V MINf(double a,V b){return MINf(bc(a),b);}
AI V MAXf(V a,double b){return MAXf(a,bc(b));} AI V MAXf(double a,V b){return MAXf(bc(a),b);}
AI V sel(VI c,double a,double b){return sel(c,bc(a),bc(b));} AI V sel(VI c,V a,double b){return sel(c,a,bc(b));} AI V sel(VI c,double a,V b){return sel(c,bc(a),b);}
AI V sel(bool c,V a,V b){return c?a:b;} AI V sel(bool c,V a,double b){return c?a:bc(b);} AI V sel(bool c,double a,V b){return c?bc(a):b;}
#endif
#define MIN(a,b) MINf(a,b)
#define MAX(a,b) MAXf(a,b)
// ---- own polynomial exp/log, generic over double and D4 ----
#define BAR(x) asm("":"+x"(x))
template<class D,class I> AI D pexp_(D x){
  const double L2E=1.4426950408889634,H=6.93147180369123816490e-01,Lo=1.90821492927058770002e-10,MG=6755399441055744.0;
  D xx=x; D k=xx*L2E+MG; BAR(k); I ki; memcpy(&ki,&k,sizeof k); D n=k-MG; D r=xx-n*H; BAR(r); r=r-n*Lo;
  D r2=r*r,r4=r2*r2,r8=r4*r4;
  D p01=1.0+r, p23=0.5+r*1.6666666666666666e-01, p45=4.1666666666666664e-02+r*8.3333333333333333e-03, p67=1.3888888888888889e-03+r*1.9841269841269841e-04;
  D p89=2.4801587301587302e-05+r*2.7557319223985893e-06, pab=2.7557319223985888e-07+r*2.5052108385441719e-08, pc=2.0876756987868099e-09+r*1.6059043836821615e-10;
  D q=(p01+r2*p23)+r4*(p45+r2*p67)+r8*((p89+r2*pab)+r4*pc);
  I s=ki<<52; I qi; memcpy(&qi,&q,sizeof q); qi=qi+s; D o; memcpy(&o,&qi,sizeof o); return o; }
template<class D,class I> AI D plog_(D x){
  I xi; memcpy(&xi,&x,sizeof x); I t=xi-(int64_t)0x3fe6a09e667f3bcdLL; I e=t>>52; I mi=xi-(e<<52); D m; memcpy(&m,&mi,sizeof m);
  // int64->double via magic
  I eb=e+(int64_t)0x4338000000000000LL; D ed; memcpy(&ed,&eb,sizeof ed); BAR(ed); ed=ed-6755399441055744.0;
  D f=(m-1.0)/(m+1.0); D s=f*f; D s2=s*s,s4=s2*s2;
  D p=(0.6666666666666666+s*0.4)+s2*(0.2857142857142857+s*0.2222222222222222)+s4*((0.18181818181818182+s*0.15384615384615385)+s2*(0.13333333333333333+s*0.11764705882352941)+s4*(0.10526315789473684+s*0.09523809523809523));
  return ed*6.93147180369123816490e-01+(2.0*f+(f*s*p+ed*1.90821492927058770002e-10)); }
#if MATHMODE==1
extern "C" { __m256d _ZGVdN4v_exp(__m256d); __m256d _ZGVdN4v_log(__m256d); __m256d _ZGVdN4vv_pow(__m256d,__m256d);}
AI D4 e4(D4 x){return (D4)_ZGVdN4v_exp((__m256d)x);} AI D4 l4(D4 x){return (D4)_ZGVdN4v_log((__m256d)x);} AI D4 p4(D4 x,D4 y){return (D4)_ZGVdN4vv_pow((__m256d)x,(__m256d)y);}
#elif MATHMODE==2
AI D4 e4(D4 x){return pexp_<D4,I4>(x);} AI D4 l4(D4 x){return plog_<D4,I4>(x);} AI D4 p4(D4 x,D4 y){return pexp_<D4,I4>(y*plog_<D4,I4>(x));}
#else
AI D4 e4(D4 x){D4 r;for(int i=0;i<4;i++)r[i]=exp(x[i]);return r;} AI D4 l4(D4 x){D4 r;for(int i=0;i<4;i++)r[i]=log(x[i]);return r;} AI D4 p4(D4 x,D4 y){D4 r;for(int i=0;i<4;i++)r[i]=pow(x[i],y[i]);return r;}
#endif
#if MATHMODE==2
AI double EXP(double x){return pexp_<double,int64_t>(x);} AI double LN(double x){return plog_<double,int64_t>(x);} AI double POW(double x,double y){return pexp_<double,int64_t>(y*plog_<double,int64_t>(x));}
#else
AI double EXP(double x){return exp(x);} AI double LN(double x){return log(x);} AI double POW(double x,double y){return pow(x,y);}
#endif
AI double SIN(double x){return sin(x);}
#if LANES>1
#define PER4(expr) V r; for(int q=0;q<LANES/4;q++){ D4 o=expr; memcpy((double*)&r+4*q,&o,32);} return r;
AI D4 g4(const V&x,int q){D4 o;memcpy(&o,(const double*)&x+4*q,32);return o;}
AI V EXP(V x){PER4(e4(g4(x,q)))} AI V LN(V x){PER4(l4(g4(x,q)))} AI V POW(V x,V y){PER4(p4(g4(x,q),g4(y,q)))} AI V POW(V x,double y){return POW(x,bc(y));} AI V POW(double x,V y){return POW(bc(x),y);}
#endif
// lookups
AI double lk_search(double x,const double*X,const double*Y,int n){ if(x<=X[0])return Y[0]; if(x>=X[n-1])return Y[n-1]; int i=0; while(x>=X[i+1])i++; return Y[i]+(Y[i+1]-Y[i])*((x-X[i])/(X[i+1]-X[i])); }
AI double lk_grid(double x,double lo,double hi,double inv,int last,const double*A,const double*B){ x=MINf(MAXf(x,lo),hi); int i=(int)((x-lo)*inv); i=i<last?i:last; return A[i]+B[i]*x; }
#if LANES>1
AI V lk_grid(V x,double lo,double hi,double inv,int last,const double*A,const double*B){ x=MINf(MAXf(x,lo),hi); V r;
  for(int q=0;q<LANES/4;q++){ D4 o=g4(x,q); __m128i i=_mm256_cvttpd_epi32((__m256d)((o-lo)*inv)); i=_mm_min_epi32(i,_mm_set1_epi32(last)); D4 a=(D4)_mm256_i32gather_pd(A,i,8),b=(D4)_mm256_i32gather_pd(B,i,8); D4 z=a+b*o; memcpy((double*)&r+4*q,&z,32);} return r; }
#endif
#define LKV(f) 
#include MODEL
#if LANES>1 && LKMODE==2
#endif
#undef REAL
#define REAL auto
#define W LANES
#define NSAVE ((int)((T1-T0)/SAVE)+1)
struct P{ V pv[NV+1]; V pi[NINV+1]; };
AI void deriv(double t,const V*y,const P&p,V*dy){
#define PV(i) p.pv[i]
#define PI(i) p.pi[i]
#define Y(i) y[i]
#define DY(i,e) dy[i]=e;
  DERIV_BODY
}
#if METHOD==0
AI void step_euler(double t,V*y,const P&p){ V dy[NS]; deriv(t,y,p,dy); for(int i=0;i<NS;i++) y[i]=y[i]+DT*dy[i]; }
#endif
static __attribute__((noinline)) void run_block(const double*par/*[NV][N]*/,double*out/*[NSAVE][NSTOCK][N]*/,int N,int j0){
  P p; V y[NS]; for(int i=0;i<NV;i++) memcpy(&p.pv[i],par+(size_t)i*N+j0,sizeof(V));
  double t=T0;
#define PIS(i,e) p.pi[i]=e;
  INV_BODY
#if LANES>1
#define YS(i,e) y[i]=bc(e);
#else
#define YS(i,e) y[i]=e;
#endif
  { INIT_BODY }
  int nper=(int)(SAVE/DT+0.5); int s=0;
  for(;;){ for(int i=0;i<NSTOCK;i++) memcpy(out+((size_t)s*NSTOCK+i)*N+j0,&y[i],sizeof(V)); if(++s>=NSAVE)break;
    for(int q=0;q<nper;q++){
      t=T0+((s-1)*nper+q)*DT;
#if METHOD==0
      step_euler(t,y,p);
#else
      V k1[NS],k2[NS],z[NS]; deriv(t,y,p,k1);
      for(int i=0;i<NS;i++) z[i]=y[i]+0.5*DT*k1[i]; deriv(t+0.5*DT,z,p,k2);
      for(int i=0;i<NS;i++){ z[i]=y[i]+0.5*DT*k2[i]; k1[i]=k1[i]+2.0*k2[i]; } deriv(t+0.5*DT,z,p,k2);
      for(int i=0;i<NS;i++){ z[i]=y[i]+DT*k2[i]; k1[i]=k1[i]+2.0*k2[i]; } deriv(t+DT,z,p,k2);
      for(int i=0;i<NS;i++) y[i]=y[i]+(DT/6.0)*(k1[i]+k2[i]);
#endif
    } }
}
// One sweep: parameters by varied name and run, results by saved time, stock and run. n is a multiple of LANES.
extern "C" void sweep_runs(const double*par,double*out,int n){ for(int j=0;j<n;j+=W) run_block(par,out,n,j); }
extern "C" int saved_times(){ return NSAVE; }
extern "C" int stocks(){ return NSTOCK; }
