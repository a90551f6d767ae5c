import time
def test_perf(api):
    inputs=[{"name":f"n{i}","applicationType":"MACHINE_TO_MACHINE"} for i in range(50)]
    q="mutation("+",".join(f"$i{n}: ApplicationCreateInput!" for n in range(50))+"){"+" ".join(f"m{n}: applicationCreate(input:$i{n}){{application{{clientId}} clientSecret errors{{code field message}}}}" for n in range(50))+"}"
    for r in range(3):
        a=time.perf_counter(); api.data(q, **{f"i{n}":v for n,v in enumerate(inputs)}); print("50 creates", round(time.perf_counter()-a,3))
    for q,n in (("{viewer{id}}",300),("{applications(first:100){nodes{id name redirectUris clientId revision grantTypes}}}",20),("{applications(first:100){nodes{id name clientGrants(first:5){nodes{id}} connections(first:5){nodes{name}}}}}",20)):
        api.data(q); a=time.perf_counter()
        for _ in range(n): api.data(q)
        print(q[:60], round((time.perf_counter()-a)/n*1000,2),"ms")
