// one run of regions.mdl by hand: scalar loops over arrays (-O3 may vectorise them; exp and sin from libm)
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
static double frac(int k,double a){return fmod(a*(k+1),1.0);}
static double px[6]={0,0.001,0.005,0.02,0.1,1},py[6]={1,0.9,0.7,0.5,0.35,0.3};
static inline double look(double v){
  if(v<=px[0])return py[0]; if(v>=px[5])return py[5];
  int i=0; while(v>=px[i+1])i++; return py[i]+(py[i+1]-py[i])/(px[i+1]-px[i])*(v-px[i]);}
int main(int c,char**v){int n=atoi(v[1]),runs=atoi(v[2]);
 double *pop=malloc(8*n),*con=malloc(8*n),*sh=malloc(8*n),*fi=malloc(8*n),*S=malloc(8*n),*E=malloc(8*n),*I=malloc(8*n),*R=malloc(8*n),*F=malloc(8*n),*ev=malloc(8*n),*pr=malloc(8*n);
 for(int k=0;k<n;k++){char b[32];
#define RD(x,e) snprintf(b,32,"%.6g",e); x[k]=atof(b);
  RD(pop,50000+200000*frac(k,0.618034)) RD(con,0.2+0.25*frac(k,0.754878)) RD(sh,0.05+0.1*frac(k,0.569840)) RD(fi,1+20*frac(k,0.430160))}
 double*out=malloc(8*(n+1)*80); double sum=0; struct timespec a,b;
 clock_gettime(CLOCK_PROCESS_CPUTIME_ID,&a);
 for(int r=0;r<runs;r++){
  for(int k=0;k<n;k++){S[k]=pop[k]-fi[k];E[k]=0;I[k]=fi[k];R[k]=0;F[k]=0;}
  double*o=out;
  for(int t=0;t<=1460;t++){double time=t*0.25,si=0,se=0;
   for(int k=0;k<n;k++){ev[k]=S[k]+E[k]+I[k]+R[k];pr[k]=I[k]/ev[k];}
   for(int k=0;k<n;k++){si+=I[k];se+=ev[k];}
   double nat=si/se,season=1+0.2*sin(6.283185*time/365);
   if(t%20==0){memcpy(o,I,8*n);o[n]=nat;o+=n+1;}
   if(t==1460)break;
   for(int k=0;k<n;k++){
    double force=con[k]*season*look(F[k])*((1-0.02)*pr[k]+0.02*nat);
    double inf=force*S[k],on=E[k]/4,rec=I[k]/7,wan=R[k]/180;
    double vac=F[k]>0.002?fmin(sh[k]*0.05*pop[k]/100,S[k]/30):0;
    double dS=S[k]/27000,dE=E[k]/27000,dI=I[k]/27000*exp(3*pr[k]),dR=R[k]/27000,bi=pop[k]/27000;
    S[k]+=0.25*(bi+wan-inf-vac-dS);E[k]+=0.25*(inf-on-dE);I[k]+=0.25*(on-rec-dI);R[k]+=0.25*(rec+vac-wan-dR);F[k]+=0.25*((pr[k]-F[k])/14);
   }}
  for(int k=0;k<=n;k++)sum+=out[73*(n+1)+k];}
 clock_gettime(CLOCK_PROCESS_CPUTIME_ID,&b);
 printf("C n=%d run ms %.3f last %.6f\n",n,((b.tv_sec-a.tv_sec)*1e3+(b.tv_nsec-a.tv_nsec)*1e-6)/runs,sum/runs);}
